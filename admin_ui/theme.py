"""Looks of the console: settings of django-unfold. Read before Django is set up."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

# Indigo: 6.3:1 for white text on the 600 tone (WCAG AA asks 4.5:1).
_PRIMARY = {
    "50": "oklch(96.2% .018 272.314)",
    "100": "oklch(93% .034 272.788)",
    "200": "oklch(87% .065 274.039)",
    "300": "oklch(78.5% .115 274.713)",
    "400": "oklch(67.3% .182 276.935)",
    "500": "oklch(58.5% .233 277.117)",
    "600": "oklch(51.1% .262 276.966)",
    "700": "oklch(45.7% .24 277.023)",
    "800": "oklch(39.8% .195 277.366)",
    "900": "oklch(35.9% .144 278.697)",
    "950": "oklch(25.7% .09 281.288)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "mbaas console",
    "SITE_HEADER": "mbaas",
    "SITE_SUBHEADER": "Console",
    "SITE_SYMBOL": "deployed_code",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("admin_ui/favicon.svg")}
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PRIMARY},
    "STYLES": [lambda request: static("admin_ui/console.css")],
    "SCRIPTS": [lambda request: static("admin_ui/console.js")],
    "ACCOUNT": {"navigation": [{"title": "My account", "link": "/admin/account/"}]},
}
