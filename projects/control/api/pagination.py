"""Lists in the shape of the app API."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response


class Pages(PageNumberPagination):
    """``?page=&perPage=``: 30 a page, at most 200. A page after the last is 404."""

    page_size = 30
    page_size_query_param = "perPage"
    max_page_size = 200

    def get_paginated_response(self, data: Any) -> Response:
        assert self.page is not None and self.request is not None
        return Response(
            {
                "page": self.page.number,
                "perPage": self.page.paginator.per_page,
                "totalItems": self.page.paginator.count,
                "totalPages": self.page.paginator.num_pages,
                "items": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        number = {"type": "integer"}
        names = ("page", "perPage", "totalItems", "totalPages")
        return {
            "type": "object",
            "required": [*names, "items"],
            "properties": {**dict.fromkeys(names, number), "items": schema},
        }
