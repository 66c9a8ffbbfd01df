"""Labels of a workspace -> a model with its figures, and the comparison with the model that is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tagger
from tagger import metrics
from tagger.errors import LabelsError
from tagger.features import text_of
from tagger.figures import booted, figures, rounded
from tagger.labels import Labels
from tagger.model import Model
from tagger.training import HeldOut, Settings, train

__all__ = [
    "Comparison",
    "compare",
    "cross_validated",
    "is_current",
    "jobs_for",
    "not_learned",
    "other_goals",
    "retrained",
    "unseen_tags",
]

SIGNIFICANT = 0.05
_MANY = 200  # labelled entries: with fewer, starting processes takes longer than fitting


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


def is_current(model: Model | None, labels: Labels, settings: Settings) -> bool:
    """Whether a model is what these labels and settings give, by what its header says of them and of its maker."""
    return (
        model is not None
        and model.about.get("labels_hash") == labels.hash()
        and model.about.get("settings") == asdict(settings)
        and model.about.get("versions", {}).get("tagger") == tagger.__version__
    )


def jobs_for(labels: Labels, n_jobs: int) -> int:
    """How many of the processes allowed are worth starting."""
    return n_jobs if len(labels.entries) >= _MANY else 1


def retrained(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Model:
    """The model that these labels give, with its figures in `about`; see `cross_validated`."""
    return cross_validated(labels, settings, n_jobs, progress)[0]


def cross_validated(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, HeldOut]:
    """The model that these labels give, with its figures in `about`, and the out-of-fold scores that they come from.

    Args:
        labels: what to learn.
        settings: see `training.Settings`.
        n_jobs: processes to use, where there are enough labels for them to be worth it; the model is the same.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    import sklearn

    yes, known = labels.arrays()
    try:
        model, held_out = train(
            [text_of(entry) for entry in labels.entries],
            yes,
            known,
            labels.topics,
            settings,
            jobs_for(labels, n_jobs),
            progress,
            at_most=labels.at_most,
        )
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(labels.entries)} labelled entries: {error}; label more") from None
    ids = b"".join(entry.id.encode() for entry in labels.entries)
    model = replace(
        model,
        held_out=held_out.tagged.astype(np.uint8),
        held_out_ids=np.frombuffer(ids, dtype=np.uint8).reshape(len(labels.entries), -1),
        about={
            "labels_hash": labels.hash(),
            "n_entries": len(labels.entries),
            "versions": {"tagger": tagger.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
            **model.about,
            "figures": figures(yes, known, held_out.scores, held_out.tagged, labels.topics, settings.seed),
        },
    )
    return model, held_out


def other_goals(old: Model, new: Model) -> list[str]:
    """The ids of topics of which two models ask for different precisions, so that F1 does not say which one is better."""
    asked = {topic.id: topic.precision for topic in old.topics}
    return [topic.id for topic in new.topics if topic.id in asked and asked[topic.id] != topic.precision]


def compare(old: Model, new: Model, labels: Labels, disputed: Mapping[str, Collection[str]] | None = None) -> Comparison | None:
    """How the new model compares with the old one by today's labels; None where there is no topic or entry to compare.

    For an entry that a model was trained on, its tags are those of cross-validation, which its file keeps; an entry that
    it never saw it simply tags. So neither side is judged on what it was fitted to. Topics of `other_goals` are left out.

    Args:
        old: one model.
        new: the other.
        labels: by which both are judged.
        disputed: by entry id, topics that count for nothing in it.
    """
    both = {topic.id for topic in old.topics} & {topic.id for topic in new.topics} - {*other_goals(old, new)}
    shared = [topic.id for topic in labels.topics if topic.id in both]
    if not shared or not len(labels.entries):
        return None
    yes, known = labels.arrays()
    place = {topic.id: n for n, topic in enumerate(labels.topics)}
    for n, entry in enumerate(labels.entries):
        known[n, [place[topic] for topic in (disputed or {}).get(entry.id, ()) if topic in place]] = False
    columns = [n for n, topic in enumerate(labels.topics) if topic.id in shared]
    yes, known = yes[:, columns], known[:, columns]
    before, after = (unseen_tags(model, labels)[:, [model.column(id) for id in shared]] for model in (old, new))
    alone = [metrics.paired_test(yes[:, [t]], known[:, [t]], before[:, [t]], after[:, [t]]) for t in range(len(shared))]
    return Comparison(
        len(labels.entries),
        metrics.paired_test(yes, known, before, after),
        dict(zip(shared, metrics.holm(np.array(alone)).tolist(), strict=True)),
        _brief(yes, known, before, shared),
        _brief(yes, known, after, shared),
    )


def not_learned(model: Model, at_least: int) -> list[str]:
    """A sentence for each topic that a model could not learn, for want of so many yes or no entries."""
    lines = []
    for topic, cut in zip(model.topics, model.thresholds, strict=True):
        if cut == float("inf"):
            found = model.about["figures"]["topics"][topic.id]
            lacking = "yes" if found["yes"] < at_least else "no"
            lines.append(f"{topic.name}: only {found[lacking]} {lacking} entries, so it is not tagged; label more")
    return lines


def unseen_tags(model: Model, labels: Labels) -> NDArray[np.bool_]:
    """(n_entries, n_topics): the tags of each labelled entry by a model that had not seen it."""
    tags = np.zeros((len(labels.entries), len(model.topics)), dtype=bool)
    held = {bytes(id).decode("ascii", "replace"): n for n, id in enumerate(model.held_out_ids)}
    new = []
    for n, entry in enumerate(labels.entries):
        if entry.id in held:
            tags[n] = model.held_out[held[entry.id]].astype(bool)
        else:
            new.append(n)
    for n, tagged in zip(new, model.tag([labels.entries[n] for n in new]), strict=True):
        tags[n, [model.column(tag.topic.id) for tag in tagged.tags]] = True
    return tags


def _brief(yes: NDArray[np.bool_], known: NDArray[np.bool_], tagged: NDArray[np.bool_], ids: list[str]) -> dict[str, Any]:
    """F1 as in `figures`, with its intervals."""
    cells = metrics.counts(yes, known, tagged)
    total = cells.sum(0)
    sides = zip(ids, metrics.f1(total), *metrics.f1_interval(total), strict=True)
    return {
        "micro_f1": booted(lambda rows: metrics.micro_f1(yes[rows], known[rows], tagged[rows]), len(yes), 0),
        "macro_f1": booted(lambda rows: metrics.macro_f1(yes[rows], known[rows], tagged[rows]), len(yes), 0),
        "topics": {id: {"f1": rounded(*values)} for id, *values in sides},
    }
