"""The text of HTML that excerpts are cut from: as a real PocketBase 0.39.11 reads it, and in time."""

from __future__ import annotations

import time

import pytest

from projects.records.excerpt import plain_text

# As observed.
READ = [
    ("a<br>b", "ab"),
    ("a<p>b</p>c", "a b c"),
    ("a<SPAN>b</SPAN>c", "abc"),
    ("a<custom>b</custom>c", "a b c"),
    ("a<a href='x'>b</a>c", "abc"),
    ("a<hr>c", "a c"),
    ("<table><tr><td>b</td><td>c</td></tr><tr><td>d</td></tr></table>", "b c d"),
    ("a<ol><li>1</li><li>2</li></ol>c", "a 1 2 c"),
    ("a<pre>b  \n d</pre>c", "a b d c"),
    ("a<script>x</script>c", "ac"),
    ("a<SCRIPT src='y'>if (a < b) x</Script >c", "ac"),
    ("a<style>x</style>c<!-- <p>x --> d", "ac d"),
    ("a<select><option>1</option></select>c", "ac"),
    ("a&nbsp;&nbsp;b", "a\xa0\xa0b"),
    ("a&lt;b&gt;c &amp;amp; &#65; &copy;", "a<b>c &amp; A ©"),
    ("a < b > c", "a < b > c"),
    ("a<unclosed b", "a"),
    ("  a \n\t b  ", "a b"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "read"), READ)
def test_markup_is_read_as_a_reader_sees_it(text: str, read: str) -> None:
    assert plain_text(text) == read


@pytest.mark.parametrize("part", ["<script", "<script>", "<!--", "<", "<a", "</p", "&lt;", "<style>x</styl>"])
def test_no_text_takes_longer_than_its_length(part: str) -> None:
    start = time.process_time()
    plain_text(part * (1_000_000 // len(part)))
    assert time.process_time() - start < 2
