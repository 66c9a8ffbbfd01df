"""Labelled entries in any number: their texts are snippets of the small frozen workspace, drawn by lot."""

from __future__ import annotations

import numpy as np

from tagger.entry import Entry
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow

__all__ = ["draw_labels"]

_LEARNED = 4  # topics of the frozen workspace with enough yes entries; the fifth has too few


def draw_labels(frozen: Labels, n_entries: int, seed: int) -> Labels:
    """As many entries as wanted, sorted by id. One in twelve cells of a topic that is not a yes is unsure."""
    rng = np.random.default_rng(seed)
    topics = frozen.topics[:_LEARNED]
    ids = [topic.id for topic in topics]
    said = [frozenset(row.topics) & {*ids} for row in frozen.rows]
    words = [f"{entry.title} {entry.abstract}".split() for entry in frozen.entries]
    made: dict[str, tuple[Entry, LabelRow]] = {}
    while len(made) < n_entries:
        wanted = said[rng.integers(len(said))]
        sources = [n for n, of_row in enumerate(said) if (of_row & wanted if wanted else not of_row)]

        def snippets(n_snippets: int, sources: list[int] = sources) -> str:
            found = []
            for source in rng.choice(sources, n_snippets):
                start = rng.integers(len(words[source]))
                found.append(" ".join(words[source][start : start + int(rng.integers(2, 6))]))
            return " ".join(found)

        entry = Entry(title=f"{snippets(2)} {len(made)}", authors=("Ann Lee",), abstract=snippets(12))
        unsure = tuple(id for id in ids if id not in wanted and rng.random() < 1 / 12)
        made[entry.id] = entry, LabelRow(entry.id, entry.title, tuple(id for id in ids if id in wanted), unsure)
    ordered = [made[id] for id in sorted(made)]
    return Labels(topics, tuple(entry for entry, _ in ordered), tuple(row for _, row in ordered))
