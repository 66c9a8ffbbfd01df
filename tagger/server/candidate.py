"""A new model that is trained and compared with the one in use, and that takes its place only when somebody accepts it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tagger.entry import Entry
from tagger.errors import ModelError, UsageError
from tagger.evaluation.comparison import Comparison, compare_models, out_of_fold_tags
from tagger.evaluation.figures import Interval, require_figures
from tagger.labels.dataset import Labels, read_labels
from tagger.model.model import Model
from tagger.model.storage import model_from_bytes, model_to_bytes
from tagger.reports.card import model_card
from tagger.server.jobs import Progress
from tagger.training.settings import Settings
from tagger.workspace.promotion import finish_interrupted, promote_model
from tagger.workspace.retrain import describe_not_learned, is_current, train_from_labels
from tagger.workspace.workspace import Workspace

__all__ = ["CandidateModel", "F1Change", "TagChange", "promote_candidate", "train_candidate"]


@dataclass(frozen=True, slots=True)
class F1Change:
    """The F1 of one topic, or of all of them, before and after."""

    name: str
    before: Interval | None  # None if there was no such figure
    after: Interval
    worse: bool  # significantly
    n_yes: int | None = None  # entries that have the topic; None for a figure of all topics


@dataclass(frozen=True, slots=True)
class TagChange:
    """An entry that the new model tags differently, by ids of topics."""

    id: str
    title: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    against: tuple[str, ...]  # those of both that go against the entry's labels


@dataclass(frozen=True, eq=False)
class CandidateModel:
    """A new model that is not in use yet, and what would change with it."""

    model: Model
    compared_file: bytes | None  # the model file that it was compared with; None for none
    n_entries: int  # labelled entries that it was trained on
    f1: tuple[F1Change, ...]  # first that of all topics together, then the mean of the topics, then each topic
    worse: bool  # significantly
    p_worse: float | None  # see `Comparison`; None if there was no model to compare with
    tag_changes: tuple[TagChange, ...]  # of entries without labels
    labelled_tag_changes: tuple[TagChange, ...]  # of labelled entries, by models that had not seen them
    not_learned: tuple[str, ...]  # a sentence for each topic with too few labels


def train_candidate(workspace: Workspace, in_use: Model, entries: Sequence[Entry], progress: Progress) -> CandidateModel | None:
    """Train a model from the labels and compare it, as `tagger retrain` does. Nothing is written.

    Args:
        workspace: the folder with the labels, and with the model file to compare with.
        in_use: the model that tags now.
        entries: those whose tags are compared.
        progress: called with the number of fits done and of all fits.

    Returns:
        None if the model file is already what the labels give.

    Raises:
        LabelsError: if labels/ cannot be used, or if there is too little to learn from.
    """
    labels = read_labels(workspace.labels)
    compared_file = _model_file(workspace)
    old = _read_model(compared_file, str(workspace.model))
    if is_current(old, labels, Settings()):
        return None
    new = train_from_labels(labels, Settings(), n_jobs=os.cpu_count() or 1, progress=progress)
    comparison = compare_models(old, new, labels) if old is not None else None
    labelled = {row.id for row in labels.rows}
    unlabelled = tuple(entry for entry in entries if entry.id not in labelled)
    return CandidateModel(
        new,
        compared_file,
        n_entries=len(labels.entries),
        f1=_f1_changes(new, comparison),
        worse=comparison is not None and comparison.worse,
        p_worse=comparison.p_worse if comparison is not None else None,
        tag_changes=_tag_changes(in_use, new, replace(labels, entries=unlabelled, rows=())),
        labelled_tag_changes=_tag_changes(in_use, new, labels),
        not_learned=tuple(describe_not_learned(new, Settings().min_positives)),
    )


def promote_candidate(workspace: Workspace, candidate: CandidateModel) -> None:
    """Put a new model in the place of the old one, which is kept as the previous one.

    Raises:
        UsageError: if the model file is not the one any more that the new model was compared with.
        OutputError: if something cannot be written.
    """
    finish_interrupted(workspace)
    if _model_file(workspace) != candidate.compared_file:
        raise UsageError(f"{workspace.model} was changed meanwhile, so the comparison does not hold; train again")
    promote_model(workspace, model_to_bytes(candidate.model), model_card(candidate.model))


def _f1_changes(new: Model, comparison: Comparison | None) -> tuple[F1Change, ...]:
    trained = require_figures(new)
    before, after = (None, trained) if comparison is None else (comparison.old, comparison.new)
    overall = [
        F1Change("all topics together (micro-F1)", None if before is None else before.micro_f1, after.micro_f1, worse=False),
        F1Change("mean of the topics (macro-F1)", None if before is None else before.macro_f1, after.macro_f1, worse=False),
    ]
    by_topic = [
        F1Change(
            topic.name,
            None if before is None else before.topics.get(topic.id),
            trained.topics[topic.id].f1,
            worse=comparison is not None and topic.id in comparison.worse_topics,
            n_yes=trained.topics[topic.id].n_yes,
        )
        for topic in new.topics
    ]
    return (*overall, *by_topic)


def _tag_changes(old: Model, new: Model, labels: Labels) -> tuple[TagChange, ...]:
    """The entries that two models tag differently. A labelled entry is tagged by models that had not seen it."""
    shared = [id for id in new.taxonomy.ids if id in old.taxonomy.column]
    before, after = (out_of_fold_tags(model, labels)[:, [model.column(id) for id in shared]] for model in (old, new))
    rows = {row.id: row for row in labels.rows}
    changes = []
    for n in np.flatnonzero((before != after).any(axis=1)):
        entry = labels.entries[n]
        added = tuple(shared[t] for t in np.flatnonzero(after[n] & ~before[n]))
        removed = tuple(shared[t] for t in np.flatnonzero(before[n] & ~after[n]))
        against: tuple[str, ...] = ()
        if row := rows.get(entry.id):
            against = tuple(id for id in added if row.label_of(id) == "no")
            against += tuple(id for id in removed if row.label_of(id) == "yes")
        changes.append(TagChange(entry.id, entry.title, added, removed, against))
    return tuple(changes)


def _model_file(workspace: Workspace) -> bytes | None:
    return workspace.model.read_bytes() if workspace.model.exists() else None


def _read_model(data: bytes | None, path: str) -> Model | None:
    """The model in a file; None for a file that cannot be read, which is as good as none."""
    try:
        return None if data is None else model_from_bytes(data, path)
    except ModelError:
        return None
