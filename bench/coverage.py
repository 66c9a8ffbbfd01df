"""What labels/ covers: per topic yes, unsure and lone yes entries; lengths; years; categories; near-duplicates.

usage: python bench/coverage.py
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from tagger.formats.plain_text import align_columns
from tagger.labels.dataset import read_labels
from tagger.text.near_duplicates import group_near_duplicate_texts
from tagger.text.normalize import entry_text

ROOT = Path(__file__).parent.parent


def main() -> None:
    labels = read_labels(ROOT / "labels")
    yes, known = labels.arrays()
    alone = yes & (yes.sum(1) == 1)[:, None]
    print(f"{len(labels.entries)} entries, {int((~yes.any(1)).sum())} without a topic\n")
    rows = [
        [topic.id, *(str(int(n)) for n in (yes[:, t].sum(), (~known)[:, t].sum(), alone[:, t].sum()))]
        for t, topic in enumerate(labels.topics)
    ]
    print(align_columns(["topic", "yes", "unsure", "yes alone"], rows))
    words = np.array([len(entry.abstract.split()) for entry in labels.entries])
    print("words of a summary, quantiles 0, 10, 50, 90, 100%:", *np.quantile(words, [0, 0.1, 0.5, 0.9, 1]).astype(int))
    print("topics of an entry:", dict(sorted(Counter(yes.sum(1).tolist()).items())))
    print("years:", dict(sorted(Counter(entry.date.year for entry in labels.entries if entry.date).items())))
    print("categories:", dict(Counter(entry.category for entry in labels.entries).most_common()))
    texts = [entry_text(entry) for entry in labels.entries]
    groups = group_near_duplicate_texts(texts)
    alike = [group for group, n in Counter(groups.tolist()).items() if n > 1]
    print(f"near-duplicates: {len(alike)} groups")
    for group in alike:
        print("  " + " | ".join(labels.entries[n].title for n in np.flatnonzero(groups == group)))


if __name__ == "__main__":
    main()
