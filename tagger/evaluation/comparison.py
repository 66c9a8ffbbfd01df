"""Whether a new model is worse than an old one, on the same labelled entries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation import metrics
from tagger.evaluation.figures import round_figures, with_bootstrap_interval
from tagger.labels.dataset import Labels
from tagger.model.model import Model

__all__ = [
    "Comparison",
    "compare_models",
    "out_of_fold_tags",
    "topics_with_other_goals",
]


SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """An old model against a new one on the same entries, each by tags from a model that had not seen the entry."""

    n_entries: int
    p_worse: float  # chance of a loss at least as large if the two were equally good
    p_topics: dict[str, float]  # the same of each topic alone, corrected by Holm for their number
    old: dict[str, Any]
    new: dict[str, Any]

    @property
    def worse(self) -> bool:
        """Whether the new one is significantly worse."""
        return self.p_worse < SIGNIFICANT

    @property
    def worse_topics(self) -> list[str]:
        """The topics in which the new one is significantly worse."""
        return [topic for topic, p in self.p_topics.items() if p < SIGNIFICANT]


def topics_with_other_goals(old: Model, new: Model) -> list[str]:
    """The ids of topics of which two models ask for different precisions, so that F1 does not say which one is better."""
    asked = {topic.id: topic.precision for topic in old.topics}
    return [topic.id for topic in new.topics if topic.id in asked and asked[topic.id] != topic.precision]


def compare_models(
    old: Model, new: Model, labels: Labels, disputed: Mapping[str, Collection[str]] | None = None
) -> Comparison | None:
    """How the new model compares with the old one by today's labels; None where there is no topic or entry to compare.

    For an entry that a model was trained on, its tags are those of cross-validation, which its file keeps; an entry that
    it never saw it simply tags. So neither side is judged on what it was fitted to.
    Topics of `topics_with_other_goals` are left out.

    Args:
        old: one model.
        new: the other.
        labels: by which both are judged.
        disputed: by entry id, topics that count for nothing in it.
    """
    both = {topic.id for topic in old.topics} & {topic.id for topic in new.topics} - {*topics_with_other_goals(old, new)}
    shared = [topic.id for topic in labels.topics if topic.id in both]
    if not shared or not len(labels.entries):
        return None
    yes, known = labels.arrays()
    place = {topic.id: n for n, topic in enumerate(labels.topics)}
    for n, entry in enumerate(labels.entries):
        known[n, [place[topic] for topic in (disputed or {}).get(entry.id, ()) if topic in place]] = False
    columns = [n for n, topic in enumerate(labels.topics) if topic.id in shared]
    yes, known = yes[:, columns], known[:, columns]
    before, after = (out_of_fold_tags(model, labels)[:, [model.column(id) for id in shared]] for model in (old, new))
    alone = [
        metrics.paired_randomization_test(yes[:, [t]], known[:, [t]], before[:, [t]], after[:, [t]]) for t in range(len(shared))
    ]
    return Comparison(
        len(labels.entries),
        metrics.paired_randomization_test(yes, known, before, after),
        dict(zip(shared, metrics.holm_correction(np.array(alone)).tolist(), strict=True)),
        _summarise(yes, known, before, shared),
        _summarise(yes, known, after, shared),
    )


def out_of_fold_tags(model: Model, labels: Labels) -> NDArray[np.bool_]:
    """(n_entries, n_topics): the tags of each labelled entry by a model that had not seen it."""
    tags = np.zeros((len(labels.entries), len(model.topics)), dtype=bool)
    held = {bytes(id).decode("ascii", "replace"): n for n, id in enumerate(model.out_of_fold_ids)}
    new = []
    for n, entry in enumerate(labels.entries):
        if entry.id in held:
            tags[n] = model.out_of_fold_tags[held[entry.id]].astype(bool)
        else:
            new.append(n)
    for n, tagged in zip(new, model.tag([labels.entries[n] for n in new]), strict=True):
        tags[n, [model.column(tag.topic.id) for tag in tagged.tags]] = True
    return tags


def _summarise(yes: NDArray[np.bool_], known: NDArray[np.bool_], tagged: NDArray[np.bool_], ids: list[str]) -> dict[str, Any]:
    """F1 as in `figures`, with its intervals."""
    cells = metrics.count_cells(yes, known, tagged)
    total = cells.sum(0)
    sides = zip(ids, metrics.f1(total), *metrics.f1_interval(total), strict=True)
    return {
        "micro_f1": with_bootstrap_interval(lambda rows: metrics.micro_f1(yes[rows], known[rows], tagged[rows]), len(yes), 0),
        "macro_f1": with_bootstrap_interval(lambda rows: metrics.macro_f1(yes[rows], known[rows], tagged[rows]), len(yes), 0),
        "topics": {id: {"f1": round_figures(*values)} for id, *values in sides},
    }
