"""The OAuth2 providers that an auth collection may name (their endpoints are the sign-in flow's business)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# In the order in which a console offers them, with the name that people know.
PROVIDERS: Final[Mapping[str, str]] = {
    "apple": "Apple",
    "google": "Google",
    "microsoft": "Microsoft",
    "yandex": "Yandex",
    "facebook": "Facebook",
    "instagram2": "Instagram",
    "github": "GitHub",
    "gitlab": "GitLab",
    "bitbucket": "Bitbucket",
    "gitee": "Gitee",
    "gitea": "Gitea/Forgejo",
    "discord": "Discord",
    "twitter": "X/Twitter",
    "kakao": "Kakao",
    "vk": "ВКонтакте",
    "linear": "Linear",
    "notion": "Notion",
    "monday": "monday.com",
    "lark": "Lark",
    "box": "Box",
    "spotify": "Spotify",
    "trakt": "Trakt",
    "twitch": "Twitch",
    "patreon": "Patreon",
    "strava": "Strava",
    "wakatime": "WakaTime",
    "livechat": "LiveChat",
    "mailcow": "mailcow",
    "planningcenter": "Planning Center",
    "oidc": "OIDC",
    "oidc2": "OIDC",
    "oidc3": "OIDC",
}


def providers_json() -> list[dict[str, Any]]:
    """The answer of ``GET /api/collections/meta/oauth2-providers``. Logos are their owners': none is sent."""
    return [{"name": name, "displayName": shown, "logo": ""} for name, shown in PROVIDERS.items()]
