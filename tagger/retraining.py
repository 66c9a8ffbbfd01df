"""Labels of a workspace -> a model with its figures, and the comparison with the model that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tagger
from tagger import metrics
from tagger.errors import LabelsError
from tagger.features import text_of
from tagger.figures import figures
from tagger.labels import Labels
from tagger.model import Model
from tagger.training import Settings, train

__all__ = ["Comparison", "compare", "is_current", "retrained"]

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """An old model against a new one on the same entries, each by tags from a model that had not seen the entry."""

    n_entries: int
    p_worse: float  # chance of a loss at least as large if the two were equally good
    old: dict[str, Any]
    new: dict[str, Any]

    @property
    def worse(self) -> bool:
        """Whether the new one is significantly worse."""
        return self.p_worse < SIGNIFICANT


def is_current(model: Model | None, labels: Labels, settings: Settings) -> bool:
    """Whether a model is what these labels and settings give, by what its header says of them and of its maker."""
    return (
        model is not None
        and model.about.get("labels_hash") == labels.hash()
        and model.about.get("settings") == asdict(settings)
        and model.about.get("versions", {}).get("tagger") == tagger.__version__
    )


def retrained(
    labels: Labels,
    settings: Settings,
    n_jobs: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Model:
    """The model that these labels give, with its figures in `about`.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    import sklearn

    yes, known = labels.arrays()
    try:
        model, held_out = train(
            [text_of(entry) for entry in labels.entries], yes, known, labels.topics, settings, n_jobs, progress
        )
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(labels.entries)} labelled entries: {error}; label more") from None
    ids = b"".join(entry.id.encode() for entry in labels.entries)
    return replace(
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


def compare(old: Model, new: Model, labels: Labels) -> Comparison | None:
    """How the new model compares with the old one by today's labels; None where they share no topic or entry.

    For an entry that a model was trained on, its tags are those of cross-validation, which its file keeps; an entry that
    it never saw it simply tags. So neither side is judged on what it was fitted to.
    """
    shared = [topic.id for topic in new.topics if topic.id in {known.id for known in old.topics}]
    if not shared or not len(labels.entries):
        return None
    yes, known = labels.arrays()
    columns = [n for n, topic in enumerate(labels.topics) if topic.id in shared]
    yes, known = yes[:, columns], known[:, columns]
    before, after = (_unseen_tags(model, labels)[:, [model.column(id) for id in shared]] for model in (old, new))
    return Comparison(
        len(labels.entries),
        metrics.paired_test(yes, known, before, after),
        _brief(yes, known, before, shared),
        _brief(yes, known, after, shared),
    )


def _unseen_tags(model: Model, labels: Labels) -> NDArray[np.bool_]:
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
    per_topic = metrics.f1(metrics.counts(yes, known, tagged).sum(0))
    return {
        "micro_f1": [_number(metrics.micro_f1(yes, known, tagged))],
        "macro_f1": [_number(metrics.macro_f1(yes, known, tagged))],
        "topics": {id: {"f1": [_number(value)]} for id, value in zip(ids, per_topic, strict=True)},
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
