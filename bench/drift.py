"""What `tagger drift` says of entries that it should and should not take for new.

Each file of labels/entries, and a tenth of all entries, is in turn left out of the labels and of training, and asked about.

usage: python bench/drift.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.curation.drift import measure_drift
from tagger.formats.plain_text import align_columns
from tagger.labels.dataset import Labels, read_labels
from tagger.reports.figures import format_interval
from tagger.text.normalize import entry_text
from tagger.training.trainer import train

ROOT = Path(__file__).parent.parent
SAYS = {True: "label more", False: "no need", None: "cannot be told"}


def row(labels: Labels, name: str, out: set[int]) -> list[str]:
    left = [n for n in range(len(labels.entries)) if n not in out]
    some = replace(
        labels, entries=tuple(labels.entries[n] for n in left), rows=tuple(labels.rows[n] for n in left), warnings=()
    )
    model, _ = train([entry_text(entry) for entry in some.entries], *some.arrays(), some.taxonomy, cross_validate=False)
    found = measure_drift(model, some, [labels.entries[n] for n in sorted(out)])
    signs = [format_interval(sign.share) for sign in (found.words, found.unlike)]
    return [name, str(len(out)), *signs, SAYS[found.label_more]]


def main() -> None:
    labels = read_labels(ROOT / "labels")
    files: dict[str, set[int]] = {}
    for n, entry in enumerate(labels.entries):
        files.setdefault(Path(entry.source.path if entry.source else "").name, set()).add(n)
    drawn = np.random.default_rng(0).permutation(len(labels.entries))[: len(labels.entries) // 10]
    rows = [row(labels, name, out) for name, out in [*sorted(files.items()), ("a tenth, drawn at random", set(drawn.tolist()))]]
    print(align_columns(["left out", "entries", "unknown words", "unlike all", "says"], rows), end="")


if __name__ == "__main__":
    main()
