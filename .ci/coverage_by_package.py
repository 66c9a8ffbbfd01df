"""Print how much of each package the tests reach. It fails where that is below 90%: what is below is tested or deleted."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

WANTED = 90.0  # percent of lines and branches

reached, there = Counter(), Counter()
for path, file in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"].items():
    package = "/".join(Path(path).parts[:2])
    for name in (package, "all"):
        reached[name] += file["summary"]["covered_lines"] + file["summary"]["covered_branches"]
        there[name] += file["summary"]["num_statements"] + file["summary"]["num_branches"]

percent = {name: 100 * reached[name] / max(1, there[name]) for name in there}
for name in sorted(there):
    print(f"{name:24}{reached[name]:6} of {there[name]:6}{percent[name]:8.1f}%")
below = [name for name in sorted(there) if there[name] and percent[name] < WANTED]
if below:
    sys.exit(f"below {WANTED:.0f}%: {', '.join(below)}")
