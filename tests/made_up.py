"""Labelled entries in any number: their texts are snippets of the small frozen workspace, drawn by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

from tagger.entry import Entry
from tagger.formats.pasted import write_pasted
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow, write_rows
from tagger.taxonomy import Taxonomy

__all__ = ["draw_labels", "write_labels"]

_N_LEARNED = 4  # topics of the frozen workspace with enough yes entries; the fifth has too few
_UNSURE = 1 / 12  # share of the other cells that are unsure


def draw_labels(frozen: Labels, n_entries: int, seed: int, stray: float = 0.7) -> Labels:
    """As many labelled entries as wanted, sorted by id, each with the topics of an entry of the small workspace.

    Args:
        frozen: the labels of the small workspace.
        n_entries: how many entries to make.
        seed: the same seed makes the same entries.
        stray: share of snippets that come from any entry; the more, the harder topics are to tell.
    """
    rng = Random(seed)  # whose numbers are the same in every version, as numpy's are not
    topics = tuple(replace(topic, definition="") for topic in frozen.topics[:_N_LEARNED])
    ids = [topic.id for topic in topics]
    topics_of = [{*row.topics} & {*ids} for row in frozen.rows]
    words = [f"{entry.title} {entry.abstract}".split() for entry in frozen.entries]

    def below(n: int) -> int:
        return int(rng.random() * n)

    def snippets(n_snippets: int, sources: Sequence[int]) -> str:
        drawn = []
        for _ in range(n_snippets):
            source = words[below(len(words)) if rng.random() < stray else sources[below(len(sources))]]
            start = below(len(source))
            drawn += source[start : start + 2 + below(4)]
        return " ".join(drawn)

    made: dict[str, tuple[Entry, LabelRow]] = {}
    while len(made) < n_entries:
        wanted = topics_of[below(len(topics_of))]
        sources = [n for n, others in enumerate(topics_of) if others <= wanted and bool(others) == bool(wanted)]
        title, abstract = f"{snippets(2, sources)} {len(made)}", snippets(7 + below(5), sources)
        entry = Entry(title, ("Ann Lee",), date=date(2021, 5, 3), category="EN", abstract=abstract)
        unsure = tuple(id for id in ids if id not in wanted and rng.random() < _UNSURE)
        made[entry.id] = entry, LabelRow(entry.id, entry.title, tuple(id for id in ids if id in wanted), unsure)
    ordered = [made[id] for id in sorted(made)]
    return Labels(Taxonomy(topics), tuple(entry for entry, _ in ordered), tuple(row for _, row in ordered))


def write_labels(folder: Path, labels: Labels) -> None:
    """Make the folder labels/ of a workspace."""
    (folder / "entries").mkdir(parents=True)
    (folder / "entries" / "made-up.txt").write_text(write_pasted(labels.entries))
    write_rows(folder / "labels.csv", labels.rows)
    tables = [f'[[topic]]\nid = "{topic.id}"\nname = "{topic.name}"\n' for topic in labels.topics]
    (folder / "topics.toml").write_text("\n".join(tables))
