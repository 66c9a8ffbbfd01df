"""How many entries of the listings in ../shared are read exactly.

usage: python bench/reader.py

Compares every field with the true values beside the listing; also the 2,000 papers of papers.jsonl, put into the form
here. Lists the first entries that differ.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tagger.entry import Entry
from tagger.formats import json_lines as jsonl
from tagger.formats import pasted
from tagger.formats.listing import Listing
from tagger.formats.registry import read_entries, read_text

SHARED = Path(__file__).parent.parent.parent / "shared"


def compare(name: str, listing: Listing, truth: list[Entry]) -> None:
    fields = ("title", "authors", "et_al", "date", "category", "code", "affiliation", "abstract")
    pairs = list(zip(listing.entries, truth, strict=True))
    wrong = {field: sum(getattr(one, field) != getattr(other, field) for one, other in pairs) for field in fields}
    exact = sum(one.title == other.title and one.authors == other.authors for one, other in pairs)
    print(
        f"{name}: {len(pairs)} entries, {len(listing.problems)} lines not understood, "
        f"{len(listing.warnings)} warnings; title and authors exact on {exact / len(pairs):.2%}; "
        f"wrong: {', '.join(f'{field} {n}' for field, n in wrong.items() if n) or 'nothing'}"
    )
    for one, other in [pair for pair in pairs if pair[0] != pair[1]][:5]:
        print(f"  found {one.title[-40:]!r} {one.authors}, wanted {other.title[-40:]!r} {other.authors}")


def main() -> None:
    if not SHARED.exists():
        print("../shared is not here; nothing to compare with")
        return
    for name in ("sample", "rendered"):
        gold = jsonl.read_json_lines(read_text(SHARED / "listing" / f"{name}.gold.jsonl"), name).require_entries()
        truth = [replace(entry, extra={}) for entry in gold]  # a listing has no place for what else is there
        compare(name, read_entries(read_text(SHARED / "listing" / f"{name}.txt"), name, 2026), truth)
    papers = []
    for line in (SHARED / "papers.jsonl").read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        (entry,) = jsonl.read_json_lines(json.dumps(found), "papers").require_entries()
        if entry.authors and entry.date and "(" not in "".join(entry.authors):
            papers.append(
                replace(entry, authors=entry.authors[:3], et_al=len(entry.authors) > 3, category=entry.category or "XX")
            )
    glued = "\n".join(pasted.format_entry(entry, with_tabs=False) for entry in papers)
    compare("papers", read_entries(glued, "papers", None), papers)


if __name__ == "__main__":
    main()
