"""The address a request came from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings


def client_address(peer: str, header: Callable[[str], str]) -> str:
    """The client's address: the socket's (``peer``), or what the trusted proxy's header says of it.

    ``header(name)`` gives a request header, ``""`` where there is none. Settings: MBAAS_CLIENT_IP_HEADER,
    MBAAS_TRUSTED_PROXIES. ``""`` for a socket without an address, or a proxy that writes something else.
    """
    address = peer
    if settings.MBAAS_CLIENT_IP_HEADER:
        hops = [hop.strip() for hop in header(settings.MBAAS_CLIENT_IP_HEADER).split(",") if hop.strip()]
        if len(hops) >= settings.MBAAS_TRUSTED_PROXIES:
            # What stands before it the client wrote itself.
            address = hops[-settings.MBAAS_TRUSTED_PROXIES]
    return _canonical(address)


@lru_cache(maxsize=4096)
def _canonical(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
