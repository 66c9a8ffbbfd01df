"""Print how much of each package the tests reach, and fail where that is below 90%: what is below is tested or deleted."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

WANTED = 90.0  # percent of lines and branches

reached: dict[str, int] = defaultdict(int)
total: dict[str, int] = defaultdict(int)
for path, file in json.loads(sys.stdin.read())["files"].items():
    parts = Path(path).parts
    package = "/".join(parts[:2]) if len(parts) > 2 else "/".join(parts)
    summary = file["summary"]
    reached[package] += summary["covered_lines"] + summary["covered_branches"]
    total[package] += summary["num_statements"] + summary["num_branches"]

below = []
for package in sorted(total):
    share = 100 * reached[package] / total[package] if total[package] else 100.0
    if share < WANTED:
        below.append(package)
    print(f"{package:30}{reached[package]:6} of {total[package]:6}{share:8.1f}%")
print(
    f"{'all':30}{sum(reached.values()):6} of {sum(total.values()):6}{100 * sum(reached.values()) / sum(total.values()):8.1f}%"
)
if below:
    sys.exit(f"below {WANTED:.0f}%: {', '.join(below)}")
