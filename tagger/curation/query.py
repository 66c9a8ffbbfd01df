"""Which entries to label next, and whether more labels still help.

A query strategy, as active learning calls it, for several topics at once. An entry is worth the more, the nearer its scores
are to the thresholds, a topic counting by the width of the interval that its F1 is known to, and less with each entry taken
for it; those are taken that together cover most of what is worth something. Of entries unlike every labelled one no score can
be trusted: as far as there are unusually many of them they are taken too, first those that stand for most of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.evaluation import metrics
from tagger.evaluation.figures import NARROW_INTERVAL, UNDEFINED, USABLE_YES_ENTRIES, read_f1, yes_entries_needed
from tagger.labels.dataset import Labels
from tagger.model.decision import UNCERTAIN_ODDS_RATIO, log_odds_margins
from tagger.model.model import Model
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.near_duplicates import are_near_duplicates
from tagger.text.similarity import TfidfRows, cosine_rows, nearest_rows, shared_vocabulary, tfidf_rows

__all__ = [
    "USUAL",
    "Pick",
    "Pool",
    "build_pool",
    "describe",
    "select_batch",
    "stopping_advice",
    "suggest_entries",
    "tag_agreement",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


Ints = NDArray[np.int64]


USUAL = 0.05  # of the labelled entries are less like the nearest other one than `Pool.bound`, by its definition


_SAME = 0.95  # of the tags two models agree on, from which on the labels between them hardly mattered


_GROWTH = 10  # percent more labels than the model before: after fewer, little has changed in any case


_MOST = 2000  # uncertain entries that are looked at, of a larger number the nearest to their thresholds: time and memory


@dataclass(frozen=True, slots=True)
class Pool:
    """Entries that are not labelled, beside those that are, as a model sees them."""

    entries: tuple[Entry, ...]
    labelled: tuple[Entry, ...]
    scores: Floats  # (n_entries, n_topics)
    rows: TfidfRows
    likeness: Floats  # (n_entries,): the cosine with the nearest labelled entry
    nearest: Ints  # (n_entries,): which that is
    bound: float  # of likeness: what is below is unlike every labelled entry

    @property
    def unlike(self) -> Bools:
        """Which are unlike every labelled entry: (n_entries,)."""
        return self.likeness < self.bound


@dataclass(frozen=True, slots=True)
class Pick:
    """An entry of a pool to label."""

    entry: int
    topic: int | None  # that is uncertain; None for an entry unlike every labelled one
    stands_for: int = 1  # uncertain or unlike entries, itself too, that have more in common with it than with another pick


def build_pool(model: Model, labelled: Sequence[Entry], entries: Sequence[Entry]) -> Pool:
    """Entries beside the labelled ones; those labelled, and those given before, are left out."""
    ids = {entry.id for entry in labelled}
    new = tuple({entry.id: entry for entry in reversed(entries) if entry.id not in ids}.values())[::-1]
    terms, idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
    some, others = tfidf_rows(new, terms, idf), tfidf_rows(labelled, terms, idf)
    likeness, which = _first(*nearest_rows(some, others, len(idf)))
    own, _ = _first(*nearest_rows(others, others, len(idf), skip_self=True))
    bound = float(np.quantile(own, USUAL)) if len(own) else 0.0
    return Pool(new, tuple(labelled), model.scores(new), some, likeness, which, bound)


def _first(likeness: Floats, which: Ints) -> tuple[Floats, Ints]:
    """Of the nearest labelled entries the first, (n_entries,) each; with a likeness of 0 where there is none."""
    return likeness.max(axis=1, initial=0.0), which.sum(axis=1)


def select_batch(model: Model, pool: Pool, n_wanted: int) -> list[Pick]:
    """The entries whose labels would teach most: the uncertain ones, best first, then those unlike every labelled one.

    An uncertain entry has a topic whose odds are within a factor of two of the threshold's. What it is worth for a topic is
    width x exp(-distance) / (1 + taken), where width is that of the interval of the topic's F1, distance is that of the
    score's log-odds from the threshold's, and taken is how many entries were taken for the topic before. An entry's worth is
    that of its best topic. Each time the entry is taken that covers most: the sum, over uncertain entries, of their worth
    times what the entry adds to their greatest cosine with a labelled or a taken one. Unlike entries are taken in the same
    way, all of the same worth, and no labelled one covers them. What shares half of its words with one taken, or with its
    nearest labelled one, is passed over. The share of unlike ones is that of those beyond the usual 5% of the pool, and more
    only where too few are uncertain.

    Source: D. Lewis and W. Gale, "A sequential algorithm for training text classifiers", SIGIR 1994 (uncertainty, here at
    each topic's threshold); K. Wei, R. Iyer and J. Bilmes, "Submodularity in data subset selection and active learning",
    ICML 2015 (what is taken covers the uncertain ones: facility location). The weights, the turns of topics and the place of
    unlike entries are ours; docs/benchmarks.md measures the whole.
    """
    distance, near = _near(model, pool.scores)
    unlike = pool.unlike
    uncertain = near.any(axis=1) & ~unlike
    n_uncertain = int(uncertain.sum())
    n_unusual = max(0.0, float(unlike.sum()) - USUAL * len(unlike))
    share = max(round(n_wanted * n_unusual / max(1.0, n_unusual + n_uncertain)), n_wanted - n_uncertain)
    worth = np.where(near & uncertain[:, None], np.exp(-distance) * _widths(model), 0.0)
    regions = _covering(pool, np.where(unlike, 1.0, 0.0)[:, None], share, (), ())
    taken = _covering(pool, worth, n_wanted - len(regions), pool.labelled, [n for n, _, _ in regions])
    return [Pick(*pick) for pick in taken] + [Pick(n, None, stands_for) for n, _, stands_for in regions]


def _covering(
    pool: Pool, worth: Floats, n_wanted: int, labelled: Sequence[Entry], before: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Entries of a pool that cover those of some worth, best first.

    Args:
        pool: what to take from.
        worth: of each entry for each topic, (n_entries, n_topics); an entry without any is neither taken nor covered.
        n_wanted: how many to take at most.
        labelled: what covers them already.
        before: entries that were taken before; none that repeats one is taken.

    Returns:
        Which entry, for which topic, and how many entries it stands for: those that have more in common with it than with
        any other taken one, itself among them.
    """
    best = worth.max(axis=1, initial=0.0)
    some = np.sort(np.argsort(-best, kind="stable")[: min(_MOST, int((best > 0).sum()))])
    if n_wanted <= 0 or not len(some):
        return []
    entries = [pool.entries[n] for n in some]
    terms, idf = shared_vocabulary([*entries, *labelled])
    own = tfidf_rows(entries, terms, idf)
    likeness = np.array(list(cosine_rows(own, own, len(idf))))
    np.fill_diagonal(likeness, 1.0)
    covered, _ = _first(*nearest_rows(own, tfidf_rows(labelled, terms, idf), len(idf)))
    turns, free = np.zeros(worth.shape[1]), np.ones(len(some), dtype=bool)
    taken: list[tuple[int, int]] = []
    while len(taken) < n_wanted and free.any():
        value = worth[some] / (1 + turns)
        adds = np.maximum(likeness - covered, 0.0) @ value.max(axis=1)
        n = int(np.where(free, adds, -1.0).argmax())
        free[n] = False
        if not _repeats(pool, int(some[n]), [*before, *(int(some[other]) for other, _ in taken)]):
            topic = int(value[n].argmax())
            turns[topic] += 1
            covered = np.maximum(covered, likeness[n])
            taken.append((n, topic))
    if not taken:
        return []
    at = [n for n, _ in taken]
    common = likeness[at]  # (n_taken, n_some)
    owner = common.argmax(axis=0)
    owner[at] = np.arange(len(at))
    stands_for = np.bincount(owner[common.max(axis=0) > 0], minlength=len(at)).tolist()
    return [(int(some[n]), topic, n_others) for (n, topic), n_others in zip(taken, stands_for, strict=True)]


def _repeats(pool: Pool, n: int, taken: Sequence[int]) -> bool:
    beside = (*pool.labelled[pool.nearest[n] : pool.nearest[n] + 1], *(pool.entries[other] for other in taken))
    return any(are_near_duplicates(pool.entries[n], other) for other in beside)


def describe(model: Model, pool: Pool, n_wanted: int) -> list[dict[str, Any]]:
    """What `picked` takes, as a program reads it.

    Returns:
        Dicts with `id`, `title`, `source`, the `reason` ("uncertain", "unlike"), the `topic`, its `score` and `threshold`
        (None where unlike), how many such entries of the pool it `stands_for`, and the `nearest` labelled entry (None where
        none has a word in common) with its `likeness`.
    """
    found: list[dict[str, Any]] = []
    for pick in select_batch(model, pool, n_wanted):
        n, t, entry = pick.entry, pick.topic, pool.entries[pick.entry]
        beside = pool.labelled[pool.nearest[n]] if pool.likeness[n] > 0 else None
        found.append(
            {
                "id": entry.id,
                "title": entry.title,
                "source": entry.source and str(entry.source),
                "reason": "unlike" if t is None else "uncertain",
                "topic": None if t is None else model.topics[t].id,
                "score": None if t is None else round(float(pool.scores[n, t]), 4),
                "threshold": None if t is None else round(float(model.thresholds[t]), 4),
                "stands_for": pick.stands_for,
                "nearest": None if beside is None else {"id": beside.id, "title": beside.title},
                "likeness": round(float(pool.likeness[n]), 4),
            }
        )
    return found


def suggest_entries(model: Model, labels: Labels, entries: Sequence[Entry], n_wanted: int = 20) -> list[dict[str, Any]]:
    """The entries of a pool to label next, each with its reason: see `picked` and `listed`.

    Args:
        model: the model of these labels.
        labels: what is labelled already.
        entries: the pool to choose from; those labelled, and those given before, are left out.
        n_wanted: how many entries to name at most.
    """
    return describe(model, build_pool(model, labels.entries, entries), n_wanted)


def stopping_advice(
    model: Model, labels: Labels, entries: Sequence[Entry], n_wanted: int = 20, before: Model | None = None
) -> dict[str, Any]:
    """What to label next, and whether to go on.

    Args:
        model: the model of these labels.
        labels: what is labelled already.
        entries: the pool to choose from.
        n_wanted: how many entries to name at most.
        before: a model of fewer labels, to see what the last ones changed.

    Returns:
        `sentence`: whether more labels still help; `label_more` the same as True, False, or None where it cannot be told.
        `n_entries`, `n_left_out`, `n_labelled`: how many there are; `n_before`, `n_now`: how many the models were trained on.
        `same`: the share of the pool's tags that both models agree on, (value, lower, upper) with a 95% interval, None
        without a model before; where it lies above `same_enough`, labels help those topics alone that need `more`.
        `topics`: by id `name`, `yes`, `f1` as (value, lower, upper) or None where it is not known, about how many `more` yes
        entries it needs until there are enough to be `usable` and that interval is `narrow`, and in how many entries of the
        pool it is `uncertain`.
        `entries`: those of `next_entries`.
    """
    pool = build_pool(model, labels.entries, entries)
    n_before, n_now = (None if one is None else one.training.n_entries for one in (before, model))
    same = None if before is None else tag_agreement(before, model, pool.entries)
    yes, known = labels.arrays()
    n_yes = dict(zip((topic.id for topic in labels.topics), (yes & known).sum(0).tolist(), strict=True))
    n_uncertain = _near(model, pool.scores)[1].sum(axis=0).tolist()
    topics = {
        topic.id: {
            "name": topic.name,
            "yes": (n := n_yes.get(topic.id, 0)),
            "f1": (f1 := read_f1(model, topic.id)) and f1.to_json(),
            "more": yes_entries_needed(n, f1 or UNDEFINED),
            "uncertain": uncertain,
        }
        for topic, uncertain in zip(model.topics, n_uncertain, strict=True)
    }
    needy = [id for id, topic in topics.items() if topic["more"]]
    label_more, sentence = _verdict(same, n_before, n_now, needy)
    return {
        "sentence": sentence,
        "label_more": label_more,
        "n_entries": len(pool.entries),
        "n_left_out": len(entries) - len(pool.entries),
        "n_labelled": len(labels.entries),
        "n_before": n_before,
        "n_now": n_now,
        "same": same,
        "same_enough": _SAME,
        "narrow": NARROW_INTERVAL,
        "usable": USABLE_YES_ENTRIES,
        "topics": topics,
        "entries": describe(model, pool, n_wanted),
    }


def tag_agreement(before: Model, model: Model, entries: Sequence[Entry]) -> list[float | None]:
    """The share of tags that two models agree on, (value, lower, upper): F1 of the one's tags against the other's.

    Of the topics that both have. None of the three where neither tags anything.
    """
    topics = [topic.id for topic in model.topics if topic.id in {topic.id for topic in before.topics}]
    tagged = [one.predict(one.scores(entries))[:, [one.column(topic) for topic in topics]] for one in (before, model)]
    total = metrics.count_cells(tagged[0], np.ones_like(tagged[0]), tagged[1]).sum()
    found = [float(side) for side in (metrics.f1(total), *metrics.f1_interval(total))]
    return [None if np.isnan(side) else round(side, 4) for side in found]


def _verdict(
    same: list[float | None] | None, n_before: int | None, n_now: int | None, needy: Sequence[str]
) -> tuple[bool | None, str]:
    """Whether more labels still help, and a sentence. `needy` are topics that need some in any case.

    By the tags that the last labels changed, in entries that no model was fitted to. Source: M. Bloodgood and K.
    Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions and the need for user-adjustable
    stopping", CoNLL 2009; F1 in the place of kappa, and an interval in the place of three rounds. A rare topic hardly weighs
    among all tags, hence `needy`.
    """
    unknown = "It cannot be told whether more labels still help: "
    if same is None:
        return None, unknown + "there is no model of fewer labels to compare with."
    if n_before is None or n_now is None:
        return None, unknown + "a model does not say how many entries it was trained on."
    if 100 * n_now < (100 + _GROWTH) * n_before:
        return None, (
            f"{unknown}the model before was trained on {n_before} entries and this one on {n_now}; it takes {_GROWTH}% more."
        )
    value, low, high = same
    if value is None or low is None or high is None:
        return None, unknown + "neither model tags anything in these entries."
    told = (
        f"models of {n_before} and of {n_now} labelled entries agree on {value:.1%} ({low:.1%}-{high:.1%}) of the tags of "
        f"these entries, and {_SAME:.0%} is enough."
    )
    if high < _SAME:
        return True, "More labels still help: " + told
    if low < _SAME:
        return None, unknown + told
    if needy:
        return True, f"More labels still help for {', '.join(needy)} and hardly for other topics: {told}"
    return False, "More labels have stopped helping: " + told


def _near(model: Model, scores: Floats) -> tuple[Floats, Bools]:
    """How far the log-odds of each score are from the threshold's, and whether it is uncertain: (n_entries, n_topics)."""
    distance = np.abs(log_odds_margins(scores, model.thresholds))
    return distance, distance <= np.log(UNCERTAIN_ODDS_RATIO)


def _widths(model: Model) -> Floats:
    """The width of the interval of each topic's F1, the widest there is where it is not known: (n_topics,)."""
    widths = ((read_f1(model, topic.id) or UNDEFINED).width for topic in model.topics)
    return np.array([1.0 if width is None else width for width in widths])
