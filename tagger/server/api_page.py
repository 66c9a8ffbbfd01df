"""The OpenAPI schema as a page, which has no script and fetches nothing but its stylesheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

__all__ = ["DOCS_POLICY", "read_style", "render_page"]

DOCS_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def render_page(schema: dict[str, Any]) -> str:
    """The page that shows an OpenAPI schema."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"pieces": lambda part: list(_describe_type(part)), "pretty": _pretty}
    template = resources.files("tagger.server") / "templates" / "api.html"
    return environment.from_string(template.read_text(encoding="utf-8")).render(schema=schema)


def read_style() -> str:
    """The page's stylesheet."""
    return (resources.files("tagger.server") / "static" / "api.css").read_text(encoding="utf-8")


def _describe_type(part: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What a JSON schema allows, in words: (text, whether it is the name of another schema)."""
    if "$ref" in part:
        yield part["$ref"].rpartition("/")[2], True
    elif "anyOf" in part:
        for n, alternative in enumerate(part["anyOf"]):
            yield " or " * bool(n), False
            yield from _describe_type(alternative)
    elif "enum" in part or "const" in part:
        yield " or ".join(map(json.dumps, part.get("enum", [part.get("const")]))), False
    elif part.get("type") == "array":
        yield f"list of {'at most {} '.format(part['maxItems']) if 'maxItems' in part else ''}", False
        yield from _describe_type(part["items"])
    elif isinstance(part.get("additionalProperties"), dict):
        yield "by key: ", False
        yield from _describe_type(part["additionalProperties"])
    elif part.get("type") == "object" and "properties" in part:
        yield part.get("title", "object"), False
    else:
        yield part["type"], False


def _pretty(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
