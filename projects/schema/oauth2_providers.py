"""The OAuth2 providers that an auth collection may name (their endpoints are the sign-in flow's business)."""

from __future__ import annotations

from typing import Final

PROVIDER_NAMES: Final = frozenset(
    {
        "apple", "bitbucket", "box", "discord", "facebook", "gitea", "gitee", "github", "gitlab", "google",
        "instagram2", "kakao", "lark", "linear", "livechat", "mailcow", "microsoft", "monday", "notion",
        "oidc", "oidc2", "oidc3", "patreon", "planningcenter", "spotify", "strava", "trakt", "twitch",
        "twitter", "vk", "wakatime", "yandex",
    }
)  # fmt: skip
