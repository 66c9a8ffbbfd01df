"""New entries against the labelled ones: are they of the same kind, and which of them would teach most.

Two signs decide whether to label more. Each counts entries that are further out than 95% of the labelled ones are: by
their share of unknown words, and by their likeness to the nearest labelled entry. So 5% is usual; it is time to label
more where the 95% interval of one of the two shares lies above twice that, there is no need where both lie below, and
otherwise nothing can be told. Rates of topics and scores are reported and decide nothing: labelled entries are chosen so
that every topic has enough of them, and were what the model was fitted to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.curation.query import USUAL, build_pool, describe
from tagger.entry import Entry
from tagger.evaluation import metrics
from tagger.labels.dataset import Labels
from tagger.model.model import Model

__all__ = [
    "measure_drift",
]


Floats = NDArray[np.float64]


_TOO_MANY = 2 * USUAL


_FEWEST = 20  # new entries: of fewer, one pasted page decides


_FEWEST_LABELLED = 100  # with fewer, more than `_TOO_MANY` of entries of the same kind may well lie beyond the bound


def measure_drift(model: Model, labels: Labels, entries: Sequence[Entry], n_teach: int = 10) -> dict[str, Any]:
    """How new entries compare with the labelled ones.

    Args:
        model: the model of these labels.
        labels: what the new entries are compared with.
        entries: those labelled, and those given before, are left out.
        n_teach: how many entries to name at most that would teach most.

    Returns:
        `sentence`: whether it is time to label more; `label_more` the same as True, False, or None where it cannot be told.
        `n_entries`, `n_left_out`, `n_labelled`: how many there are.
        `signs`: for `words` and `unlike`, `n` entries beyond the `bound`, and their `share`. Of that, `usual` is what the
        labelled entries have, and above `too_many` it is time.
        `unknown_words`: their share among all words, None where there are none.
        `best_score`: the mean over entries of the best score, `new` and `labelled`.
        `topics`: by id `name`, `n` new entries tagged, `new` and `labelled` rates, the interval of their `difference`, which
        holds for all topics at once, and whether the rate `moved`: "more", "fewer" or None.
        `teach`: see `tagger.active.listed`.

        Shares, rates and the new mean are (value, lower, upper) with 95% intervals, each None where there is nothing to count.
    """
    pool = build_pool(model, labels.entries, entries)
    new, rows = pool.entries, pool.rows
    usual = float(model.training.usual_known_share or 0)
    signs = {
        "words": _sign(rows.n_known_words / np.maximum(rows.n_words, 1), usual),
        "unlike": _sign(pool.likeness, pool.bound),
    }
    labelled_scores = model.scores(labels.entries)
    n_words = int(rows.n_words.sum())
    topics = _topics(model, labels, new)
    label_more = _label_more(signs, len(new), len(labels.entries))
    return {
        "sentence": _sentence(label_more, signs, topics, len(new), len(labels.entries)),
        "label_more": label_more,
        "n_entries": len(new),
        "n_left_out": len(entries) - len(new),
        "n_labelled": len(labels.entries),
        "usual": USUAL,
        "too_many": _TOO_MANY,
        "signs": signs,
        "unknown_words": round(1 - int(rows.n_known_words.sum()) / n_words, 4) if n_words else None,
        "best_score": {"new": _mean(pool.scores.max(axis=1)), "labelled": _mean(labelled_scores.max(axis=1))[0]},
        "topics": topics,
        "teach": describe(model, pool, n_teach),
    }


def _sign(values: Floats, bound: float) -> dict[str, Any]:
    n = int((values < bound).sum())
    return {"n": n, "share": _share(n, len(values)), "bound": round(bound, 4)}


def _share(n: int, of: int) -> list[float | None]:
    if not of:
        return [None, None, None]
    low, high = metrics.wilson_interval(np.array(float(n)), np.array(float(of)))
    return [round(float(value), 4) for value in (n / of, low, high)]


def _mean(values: Floats) -> list[float | None]:
    if not len(values):
        return [None, None, None]
    low, high = metrics.bootstrap_interval(lambda at: float(values[at].mean()), len(values))
    return [round(value, 4) for value in (float(values.mean()), low, high)]


def _label_more(signs: dict[str, Any], n_entries: int, n_labelled: int) -> bool | None:
    if n_entries < _FEWEST or n_labelled < _FEWEST_LABELLED:
        return None
    intervals = [sign["share"] for sign in signs.values()]
    if any(low > _TOO_MANY for _, low, _ in intervals):
        return True
    return False if all(high <= _TOO_MANY for _, _, high in intervals) else None


def _sentence(label_more: bool | None, signs: dict[str, Any], topics: dict[str, Any], n_entries: int, n_labelled: int) -> str:
    if n_entries < _FEWEST:
        return f"Nothing can be told: there {_are(n_entries)} not labelled yet, and it takes at least {_FEWEST}."
    if n_labelled < _FEWEST_LABELLED:
        return (
            f"Nothing can be told: there {_are(n_labelled)} labelled, and it takes at least {_FEWEST_LABELLED} to compare with."
        )
    says = {"words": "have unusually many unknown words", "unlike": "are unlike every labelled one"}
    told = {
        name: f"{sign['share'][0]:.0%} ({sign['share'][1]:.0%}-{sign['share'][2]:.0%}) {says[name]}"
        for name, sign in signs.items()
    }
    if label_more:
        named = [told[name] for name, sign in signs.items() if sign["share"][1] > _TOO_MANY]
        return f"It is time to label more: of {n_entries} new entries {' and '.join(named)}, where {USUAL:.0%} is usual."
    both = f"of {n_entries} new entries {' and '.join(told.values())}, where {USUAL:.0%} is usual"
    n_moved = sum(topic["moved"] is not None for topic in topics.values())
    moved = f"; {n_moved} of {len(topics)} topics have other rates, which decides nothing" if n_moved else ""
    if label_more is None:
        return f"It cannot be told whether to label more: {both} and above {_TOO_MANY:.0%} is too much{moved}."
    return f"There is no need to label more: {both}{moved}."


def _are(number: int) -> str:
    return "is 1 entry" if number == 1 else f"are {number} entries"


def _topics(model: Model, labels: Labels, new: Sequence[Entry]) -> dict[str, Any]:
    """Rates of the topics that the model has learned; of the labelled entries among those that a person decided."""
    yes, known = labels.arrays()
    labelled = {topic.id: (int((yes & known)[:, t].sum()), int(known[:, t].sum())) for t, topic in enumerate(labels.topics)}
    tagged = Counter(tag.topic.id for result in model.tag(new) for tag in result.tags)
    learned = [topic for topic in model.topics if model.is_learned(topic.id)]
    found: dict[str, Any] = {}
    for topic in learned:
        n, (n_yes, n_known) = tagged[topic.id], labelled.get(topic.id, (0, 0))
        difference: list[float | None] = [None, None]
        if new and n_known:
            a, b, c, d = (np.array(float(value)) for value in (n, len(new), n_yes, n_known))
            difference = [round(float(side), 4) for side in metrics.difference_interval(a, b, c, d, len(learned))]
        low, high = difference
        found[topic.id] = {
            "name": topic.name,
            "n": n,
            "new": _share(n, len(new)),
            "labelled": _share(n_yes, n_known),
            "difference": difference,
            "moved": "more" if low is not None and low > 0 else "fewer" if high is not None and high < 0 else None,
        }
    return found
