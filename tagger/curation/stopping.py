"""Whether more labels still help, and which topics need some in any case.

The model before and the present one tag the same entries. Where they agree on almost all tags, the labels between them hardly
changed anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagger.curation.query import Suggestion, build_pool, describe_picks, select_batch, uncertain_cells
from tagger.entry import Entry
from tagger.evaluation import metrics
from tagger.evaluation.figures import (
    NARROW_INTERVAL,
    UNDEFINED,
    USABLE_YES_ENTRIES,
    Interval,
    read_f1,
    yes_entries_needed,
)
from tagger.labels.dataset import Labels
from tagger.model.model import Model

__all__ = ["StoppingAdvice", "TopicNeed", "measure_tag_agreement", "stopping_advice"]

_ENOUGH_AGREEMENT = 0.95  # the share of tags that two models agree on if the labels between them hardly mattered
_MIN_GROWTH = 10  # percent more labels than the model before; after fewer, little has changed in any case


@dataclass(frozen=True, slots=True)
class TopicNeed:
    """What is known of a topic, and what it needs."""

    name: str
    n_yes: int
    f1: Interval | None  # None where the model does not say
    n_more: int  # yes entries, about, until there are enough and the interval of F1 is narrow
    n_uncertain: int  # entries of the pool whose score is near its threshold

    def to_json(self) -> dict[str, Any]:
        """The topic as JSON has it."""
        return {
            "name": self.name,
            "yes": self.n_yes,
            "f1": None if self.f1 is None else self.f1.to_json(),
            "more": self.n_more,
            "uncertain": self.n_uncertain,
        }


@dataclass(frozen=True, slots=True)
class StoppingAdvice:
    """What to label next, and whether more labels still help."""

    sentence: str
    label_more: bool | None  # what the sentence says; None where it cannot be told
    n_entries: int  # of the pool
    n_left_out: int  # labelled or repeated entries
    n_labelled: int
    n_before: int | None  # labelled entries that the model before was trained on; None where it does not say
    n_now: int | None  # the same of the present model
    agreement: Interval | None  # the share of tags that both models agree on; None without a model before
    topics: Mapping[str, TopicNeed]  # by id
    entries: tuple[Suggestion, ...]

    def to_json(self) -> dict[str, Any]:
        """The advice as JSON has it."""
        return {
            "sentence": self.sentence,
            "label_more": self.label_more,
            "n_entries": self.n_entries,
            "n_left_out": self.n_left_out,
            "n_labelled": self.n_labelled,
            "n_before": self.n_before,
            "n_now": self.n_now,
            "same": None if self.agreement is None else self.agreement.to_json(),
            "same_enough": _ENOUGH_AGREEMENT,
            "narrow": NARROW_INTERVAL,
            "usable": USABLE_YES_ENTRIES,
            "topics": {id: topic.to_json() for id, topic in self.topics.items()},
            "entries": [suggestion.to_json() for suggestion in self.entries],
        }


def stopping_advice(
    model: Model, labels: Labels, entries: Sequence[Entry], n_wanted: int = 20, before: Model | None = None
) -> StoppingAdvice:
    """What to label next, and whether to go on.

    Args:
        model: the model of these labels.
        labels: what is labelled already.
        entries: the pool to choose from; labelled and repeated entries are left out.
        n_wanted: how many entries to name at most.
        before: a model of fewer labels, to see what the last ones changed.
    """
    pool = build_pool(model, labels.entries, entries)
    n_before, n_now = None if before is None else before.training.n_entries, model.training.n_entries
    agreement = None if before is None else measure_tag_agreement(before, model, pool.entries)
    uncertain, _ = uncertain_cells(model, pool.scores)
    topics = _find_needs(model, labels, uncertain.sum(axis=0).tolist())
    label_more, sentence = _judge(agreement, n_before, n_now, [id for id, topic in topics.items() if topic.n_more])
    return StoppingAdvice(
        sentence,
        label_more,
        n_entries=len(pool.entries),
        n_left_out=len(entries) - len(pool.entries),
        n_labelled=len(labels.entries),
        n_before=n_before,
        n_now=n_now,
        agreement=agreement,
        topics=topics,
        entries=tuple(describe_picks(model, pool, select_batch(model, pool, n_wanted))),
    )


def _find_needs(model: Model, labels: Labels, n_uncertain: Sequence[int]) -> dict[str, TopicNeed]:
    """What each topic of a model needs, by its id."""
    yes, labelled = labels.arrays()
    n_yes = dict(zip(labels.taxonomy.ids, (yes & labelled).sum(0).tolist(), strict=True))
    needs = {}
    for topic, n in zip(model.topics, n_uncertain, strict=True):
        f1, n_of_topic = read_f1(model, topic.id), n_yes.get(topic.id, 0)
        needs[topic.id] = TopicNeed(topic.name, n_of_topic, f1, yes_entries_needed(n_of_topic, f1 or UNDEFINED), n)
    return needs


def measure_tag_agreement(before: Model, model: Model, entries: Sequence[Entry]) -> Interval:
    """The share of tags that two models agree on: F1 of the one's tags against the other's, of the topics that both have.

    It is not defined where neither model tags anything.
    """
    shared = [id for id in model.taxonomy.ids if id in before.taxonomy.column]
    tags, other_tags = (each.predict(each.scores(entries))[:, [each.column(id) for id in shared]] for each in (before, model))
    counts = metrics.count_cells(tags, np.ones_like(tags), other_tags).sum()
    low, high = metrics.f1_interval(counts)
    return Interval.rounded(float(metrics.f1(counts)), float(low), float(high))


def _judge(
    agreement: Interval | None, n_before: int | None, n_now: int | None, needy: Sequence[str]
) -> tuple[bool | None, str]:
    """Whether more labels still help, None where it cannot be told, and a sentence that says so.

    The answer comes from the tags that the last labels changed, in entries that no model was fitted to. A rare topic hardly
    counts among all tags, hence `needy`: the topics that need labels in any case.

    Source: M. Bloodgood and K. Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions and the
    need for user-adjustable stopping", CoNLL 2009; with F1 in the place of kappa, and an interval in the place of three rounds.
    """
    unknown = "It cannot be told whether more labels still help: "
    if agreement is None:
        return None, unknown + "there is no model of fewer labels to compare with."
    if n_before is None or n_now is None:
        return None, unknown + "a model does not say how many entries it was trained on."
    if 100 * n_now < (100 + _MIN_GROWTH) * n_before:
        numbers = f"the model before was trained on {n_before} entries and this one on {n_now}"
        return None, f"{unknown}{numbers}; it takes {_MIN_GROWTH}% more."
    value, low, high = agreement.value, agreement.low, agreement.high
    if value is None or low is None or high is None:
        return None, unknown + "neither model tags anything in these entries."
    reason = (
        f"models of {n_before} and of {n_now} labelled entries agree on {value:.1%} ({low:.1%}-{high:.1%}) of the tags of "
        f"these entries, and {_ENOUGH_AGREEMENT:.0%} is enough."
    )
    if high < _ENOUGH_AGREEMENT:
        return True, "More labels still help: " + reason
    if low < _ENOUGH_AGREEMENT:
        return None, unknown + reason
    if needy:
        return True, f"More labels still help for {', '.join(needy)} and hardly for other topics: {reason}"
    return False, "More labels have stopped helping: " + reason
