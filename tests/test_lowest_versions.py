"""The lowest versions that are tested are those that pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def test_the_lowest_versions_are_those_asked_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {}
    for requirement in [*project["dependencies"], *extras["parquet"], *extras["review"], *extras["test"]]:
        if not requirement.startswith(project["name"]):
            name, version = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()  # type: ignore[union-attr]
            wanted[name] = version
    tables = (root / "constraints-lowest.txt").read_text().split("\n\n")
    tested = dict(line.split("==") for line in tables[0].splitlines() if not line.startswith("#"))
    assert tested == dict(sorted(wanted.items()))
