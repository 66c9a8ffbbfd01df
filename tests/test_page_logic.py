"""The page's JavaScript that needs no browser, by the test runner of node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="needs node, from version 20 on; run in CI by .ci/run")
def test_the_logic_of_the_page(root: Path) -> None:
    files = sorted((root / "tests" / "page").glob("*.test.js"))
    done = subprocess.run(
        [str(NODE), "--test", "--test-reporter=tap", *map(str, files)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# fail 0$", done.stdout, re.MULTILINE)
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= len(files) > 0


def test_what_needs_no_browser_says_so_and_asks_for_none(root: Path) -> None:
    """A module with tests in tests/page is one that node can load: it names no element of a page."""
    static = root / "tagger" / "server" / "static"
    tests = "".join(path.read_text() for path in (root / "tests" / "page").glob("*.test.js"))
    tested = set(re.findall(r"server/static/([\w-]+\.js)", tests))
    pure = {path.name for path in static.glob("*.js") if "No DOM here." in path.read_text()}
    assert tested == pure
    for name in pure:
        assert not re.search(r"\b(document|window|fetch|localStorage|sessionStorage)\b", (static / name).read_text()), name
