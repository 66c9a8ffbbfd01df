"""Examples of what the REST API takes and gives, for its OpenAPI schema. The numbers show the form; no model gave them."""

from __future__ import annotations

from typing import Any

from tagger import __version__
from tagger.server.api_schema import Entry

__all__ = ["EXAMPLE_ANSWERS", "request_body_spec"]

_ENTRY = {
    "title": "A Click Model for Voice Search",
    "authors": ["Maria Keller", "Jun Abe"],
    "date": "2024-03-03",
    "category": "IR",
    "code": True,
    "abstract": "Which answers of a voice assistant are listened to, and how much their position decides.",
}

_LISTING = """\
IRMar 3, 2024Code
A Click Model for Voice SearchMaria Keller, Jun Abe
Which answers of a voice assistant are listened to, and how much their position decides.
"""

_EXAMPLE_ID = {"id": "8tfahmek"}

EXAMPLE_ANSWERS: dict[str, Any] = {  # by operation, and that of an error
    "health": {"ok": True, "version": __version__, "model": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "topics": 13},
    "topics": {
        "topics": [
            {
                "id": "click-model",
                "name": "Click models",
                "definition": "Modelling how users examine and click results.",
                "parent": None,
                "excludes": [],
                "precision": None,
                "threshold": 0.32,
                "learned": True,
            }
        ]
    },
    "tag": {
        "entries": [
            _EXAMPLE_ID
            | _ENTRY
            | {"et_al": False, "affiliation": None, "source": "entries:1"}
            | {"topics": [{"id": "click-model", "score": 0.97, "by": "model"}], "note": None}
        ],
        "warnings": [],
    },
    "why": [
        _EXAMPLE_ID
        | {"title": _ENTRY["title"], "abstract": _ENTRY["abstract"], "source": "entries:1", "by_hand": None}
        | {
            "topics": [
                {
                    "id": "click-model",
                    "name": "Click models",
                    "score": 0.9526,
                    "threshold": 0.32,
                    "tagged": True,
                    "implied_by": None,
                    "gives_way_to": [],
                    "log_odds": 3.0,
                    "intercept": -4.0,
                    "terms": [{"term": "click model", "share": 7.0, "places": [{"part": "title", "start": 2, "end": 13}]}],
                }
            ],
            "similar": [
                {
                    "id": "0e6ct6qm",
                    "title": "A Whole Page Click Model to Better Interpret Search Engine Click Data",
                    "likeness": 0.21,
                    "topics": ["click-model"],
                    "unsure": [],
                }
            ],
        }
    ],
    "error": {
        "error": {
            "problems": [{"source": "entries", "line": 1, "message": "an entry needs a title; this one is empty"}],
            "message": "0 entries read, 1 place not understood; correct what is named above",
        }
    },
}


def request_body_spec(max_entries: int) -> dict[str, Any]:
    """What the schema says of a request's body, which has at most so many entries."""
    entries = {
        "type": "object",
        "required": ["entries"],
        "properties": {"entries": {"type": "array", "maxItems": max_entries, "items": Entry.model_json_schema()}},
    }
    text = {"type": "string"}
    return {
        "required": True,
        "description": "Entries as JSON, or the text of a listing as people paste it, or JSON Lines. In UTF-8.",
        "content": {
            "application/json": {"schema": entries, "example": {"entries": [_ENTRY]}},
            "text/plain": {"schema": text, "example": _LISTING},
            "application/x-ndjson": {"schema": text},
        },
    }
