"""Stored names: each form was observed of the wire contract's server."""

from __future__ import annotations

import re

import pytest

from projects.files.names import stored_name

R = "[a-z0-9]{10}"


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("Hello World (1).Final.TXT", rf"hello_world_1_{R}\.Final\.TXT"),
        ("camelCaseName.txt", rf"camel_case_name_{R}\.txt"),
        ("HTTPServer2Go.txt", rf"httpserver2_go_{R}\.txt"),
        ("a1B2c3.txt", rf"a1_b2c3_{R}\.txt"),
        ("a__b-c.txt", rf"a_b_c_{R}\.txt"),
        ("_abc_.txt", rf"abc_{R}\.txt"),
        ("ab.txt", rf"ab{R}_{R}\.txt"),
        ("a.tar.gz", rf"a{R}_{R}\.tar\.gz"),
        ("abc.x.y.z", rf"abc_x_{R}\.y\.z"),
        ("a..b", rf"a{R}_{R}\.b"),
        ("a.b.", rf"a{R}_{R}\.b"),
        ("noext", rf"noext_{R}\.txt"),
        (".hidden", rf"{R}_{R}\.hidden"),
        ("héllo wörld.txt", rf"h_llo_w_rld_{R}\.txt"),
        ("日本語.txt", rf"{R}_{R}\.txt"),
        ("x.日本", rf"x{R}_{R}\.txt"),
        ("abc.éxyz.txt", rf"abc_{R}\.xyz\.txt"),
        ("abc. .txt", rf"abc_{R}\.txt"),
        ("abc.a$b c", rf"abc_{R}\.abc"),
        ("abc.a+b=c*d#e-f_g", rf"abc_{R}\.a\+b=c\*d#e-f_g"),
        ("a." + "e" * 50, rf"a{R}_{R}\.e{{20}}"),
        ("abc.lo" + "n" * 30 + ".gz", rf"abc_{R}\.n{{17}}\.gz"),
        ("x" * 300 + ".txt", rf"x{{100}}_{R}\.txt"),
        ("x" * 99 + "é" + "y.txt", rf"x{{99}}__{R}\.txt"),
        ("../../etc/passwd", rf"passwd_{R}\.txt"),
        ("..\\..\\win.txt", rf"{R}_{R}\.win\.txt"),
        ("C:\\fakepath\\img.png", rf"c_fakepath_img_{R}\.png"),
        ("..", rf"{R}_{R}\.txt"),
        ("CON", rf"con_{R}\.txt"),
        ("con.txt", rf"con_{R}\.txt"),
        ("a\u202egpj.exe", rf"a_gpj_{R}\.exe"),
        ("a\0b\r\n.txt", rf"a_b_{R}\.txt"),
        ('a"b;c.txt', rf"a_b_c_{R}\.txt"),
    ],
)
def test_a_name_becomes(original: str, expected: str) -> None:
    name = stored_name(original, "text/plain")
    assert re.fullmatch(expected, name), name
    assert not set(name) & set("/\\\"'<>;:?%\0\r\n ")


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [("image/png", ".png"), ("image/svg+xml", ".svg"), ("application/octet-stream", "")],
)
def test_a_name_without_extension_gets_that_of_its_content(content_type: str, extension: str) -> None:
    assert re.fullmatch(rf"photo_{R}{re.escape(extension)}", stored_name("photo", content_type))


def test_no_two_names_are_the_same() -> None:
    assert len({stored_name("a.txt", "text/plain") for _ in range(1000)}) == 1000
