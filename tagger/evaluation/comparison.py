"""When a new model is worse than an old one, on the same labelled entries.

The two are compared by the micro-F1 of all topics together, and by the F1 of each topic alone. A paired randomisation test
says how often chance alone would make the new model lose as much. If that is less often than `SIGNIFICANT`, it is worse.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation import metrics
from tagger.evaluation.figures import Interval, with_bootstrap_interval
from tagger.labels.dataset import Labels
from tagger.model.model import Model

__all__ = ["Comparison", "F1Figures", "MovedTopic", "compare_models", "out_of_fold_tags", "topics_with_other_goals"]

Bools = NDArray[np.bool_]

SIGNIFICANT = 0.05  # a p below it makes the new model worse
_MOVED = 0.005  # of F1, from which on a topic is named


@dataclass(frozen=True, slots=True)
class F1Figures:
    """The F1 of a model: of all topics together, the mean of the topics, and of each topic by its id."""

    micro_f1: Interval
    macro_f1: Interval
    topics: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class MovedTopic:
    """A topic whose F1 changed from one model to another."""

    id: str
    old: float
    new: float

    @property
    def change(self) -> float:
        """By how much."""
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class Comparison:
    """An old model against a new one on the same entries, each by tags from a model that had not seen the entry."""

    n_entries: int
    p_worse: float  # chance of a loss at least as large if the two were equally good
    p_topics: Mapping[str, float]  # the same of each topic alone, corrected by Holm for their number
    old: F1Figures
    new: F1Figures

    @property
    def worse(self) -> bool:
        """Whether the new model is significantly worse."""
        return self.p_worse < SIGNIFICANT

    @property
    def moved_topics(self) -> list[MovedTopic]:
        """The topics whose F1 changed by half a hundredth or more, those that changed most first."""
        f1 = ((id, self.old.topics[id].value, self.new.topics[id].value) for id in self.p_topics)
        topics = [MovedTopic(id, old, new) for id, old, new in f1 if old is not None and new is not None]
        moved = (topic for topic in topics if abs(topic.change) >= _MOVED)
        return sorted(moved, key=lambda topic: (-abs(topic.change), topic.id))

    @property
    def worse_topics(self) -> list[str]:
        """The topics in which the new model is significantly worse."""
        return [topic for topic, p in self.p_topics.items() if p < SIGNIFICANT]


def topics_with_other_goals(old: Model, new: Model) -> list[str]:
    """The ids of topics of which two models ask for different precisions.

    F1 does not say which of the two models is better for such a topic.
    """
    goals = {topic.id: topic.precision for topic in old.topics}
    return [topic.id for topic in new.topics if topic.id in goals and goals[topic.id] != topic.precision]


def compare_models(
    old: Model, new: Model, labels: Labels, disputed: Mapping[str, Collection[str]] | None = None
) -> Comparison | None:
    """How a new model compares with an old one by today's labels; None where there is no topic or entry to compare.

    Neither model is judged by entries that it was fitted to. The file of a model keeps the tags of cross-validation for the
    entries that it was trained on, and these count. A model tags the entries that it never saw.

    Args:
        old: one model.
        new: the other.
        labels: by which both are judged.
        disputed: by entry id, topics that count for nothing in the entry.
    """
    topics = _comparable_topics(old, new, labels)
    if not topics or not len(labels.entries):
        return None
    column = labels.taxonomy.column
    yes, labelled = labels.arrays()
    for n, entry in enumerate(labels.entries):
        labelled[n, [column[topic] for topic in (disputed or {}).get(entry.id, ()) if topic in column]] = False
    columns = [column[topic] for topic in topics]
    yes, labelled = yes[:, columns], labelled[:, columns]
    old_tags, new_tags = (out_of_fold_tags(model, labels)[:, [model.column(id) for id in topics]] for model in (old, new))
    p_topics = [
        metrics.paired_randomization_test(yes[:, [t]], labelled[:, [t]], old_tags[:, [t]], new_tags[:, [t]])
        for t in range(len(topics))
    ]
    return Comparison(
        len(labels.entries),
        metrics.paired_randomization_test(yes, labelled, old_tags, new_tags),
        dict(zip(topics, metrics.holm_correction(np.array(p_topics)).tolist(), strict=True)),
        _compute_f1_figures(yes, labelled, old_tags, topics),
        _compute_f1_figures(yes, labelled, new_tags, topics),
    )


def _comparable_topics(old: Model, new: Model, labels: Labels) -> list[str]:
    """The ids of the topics of these labels that both models have, without those of `topics_with_other_goals`."""
    shared = old.taxonomy.column.keys() & new.taxonomy.column.keys() - {*topics_with_other_goals(old, new)}
    return [id for id in labels.taxonomy.ids if id in shared]


def out_of_fold_tags(model: Model, labels: Labels) -> NDArray[np.bool_]:
    """(n_entries, n_topics): the tags of each labelled entry by a model that had not seen it."""
    tags = np.zeros((len(labels.entries), len(model.topics)), dtype=bool)
    row_of = {id: n for n, id in enumerate(model.trained_ids)}
    unseen = [n for n, entry in enumerate(labels.entries) if entry.id not in row_of]
    for n, entry in enumerate(labels.entries):
        if entry.id in row_of:
            tags[n] = model.out_of_fold_tags[row_of[entry.id]].astype(bool)
    for n, tagged in zip(unseen, model.tag([labels.entries[n] for n in unseen]), strict=True):
        tags[n, [model.column(tag.topic.id) for tag in tagged.tags]] = True
    return tags


def _compute_f1_figures(yes: Bools, labelled: Bools, tagged: Bools, ids: list[str]) -> F1Figures:
    counts = metrics.count_cells(yes, labelled, tagged).sum(0)
    topics = zip(metrics.f1(counts), *metrics.f1_interval(counts), strict=True)
    return F1Figures(
        with_bootstrap_interval(lambda rows: metrics.micro_f1(yes[rows], labelled[rows], tagged[rows]), len(yes), 0),
        with_bootstrap_interval(lambda rows: metrics.macro_f1(yes[rows], labelled[rows], tagged[rows]), len(yes), 0),
        {id: Interval.rounded(*numbers) for id, numbers in zip(ids, topics, strict=True)},
    )
