"""The project's metadata that depends on the repository's address, which pyproject.toml has in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)]+)\)")  # a link in Markdown, or a picture, to a path of the repository


class CustomMetadataHook(MetadataHookInterface):
    """Adds `readme` and `urls`; without an address the links stay as they are and there are no urls."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the dynamic fields."""
        address = self.config.get("repository", "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute_links(text, address)}
        metadata["urls"] = {"Repository": address, "Changelog": f"{address}/blob/main/CHANGELOG.md"} if address else {}


def absolute_links(text: str, address: str) -> str:
    """Markdown whose links lead into the repository, so that a package index can show it; as it is without an address."""
    if not address:
        return text
    return _LINK.sub(lambda link: f"{link[1]}[{link[2]}]({address}/{'raw' if link[1] else 'blob'}/main/{link[3]})", text)
