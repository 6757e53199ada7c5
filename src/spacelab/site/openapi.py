"""The document that describes the API: each operation with its answers, refusals included."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

PROBLEM = {
    "title": "Problem",
    "description": "Why something was refused (RFC 9457), in words for people, and what to do instead.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "advice": {"type": "string"},
        "field": {"type": "string", "description": "The part of what was sent that is at fault, if one is."},
    },
    "required": ["type", "title", "status", "detail", "advice", "field"],
}
REFUSED = {
    "description": "Refused",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class DescribedAPI(NinjaAPI):
    """An API whose document says as well how every operation refuses."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the document, with a problem as the answer wherever none is named."""
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        document["components"]["schemas"]["Problem"] = PROBLEM
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["responses"].setdefault("default", REFUSED)
        return document
