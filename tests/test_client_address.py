"""Behind proxies, the address that counts is the one the trusted one saw."""

from __future__ import annotations

from typing import Any

import pytest

from projects.client_address import client_address


def seen(peer: str, forwarded: str = "") -> str:
    return client_address(peer, lambda name: forwarded if name == "X-Forwarded-For" else "")


def test_without_a_trusted_header_only_the_socket_counts() -> None:
    assert seen("192.0.2.1", "203.0.113.9") == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("203.0.113.9", 1, "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9", 1, "203.0.113.9"),
        ("10.9.9.9, 203.0.113.9, 198.51.100.2", 2, "203.0.113.9"),
        ("203.0.113.9", 2, "192.0.2.1"),
        ("", 1, "192.0.2.1"),
        ("2001:DB8::1", 1, "2001:db8::1"),
        ("unknown", 1, ""),
    ],
)
def test_the_trusted_proxys_entry_counts_and_none_that_a_client_wrote(
    settings: Any, forwarded: str, proxies: int, address: str
) -> None:
    settings.MBAAS_CLIENT_IP_HEADER = "X-Forwarded-For"
    settings.MBAAS_TRUSTED_PROXIES = proxies
    assert seen("192.0.2.1", forwarded) == address
