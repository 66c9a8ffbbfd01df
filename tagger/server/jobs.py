"""Work that takes its time, in a thread of its own; training and auditing as such work. No web is known here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import Any

import numpy as np

from tagger.curation.label_errors import find_label_errors
from tagger.entry import Entry
from tagger.errors import ModelError, TaggerError, UsageError
from tagger.evaluation.comparison import compare_models, out_of_fold_tags
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.reviewed import label_of, read_confirmed
from tagger.model.model import Model
from tagger.model.storage import model_from_bytes, model_to_bytes
from tagger.reports import card as card_report
from tagger.reports.page import evaluate_for_report
from tagger.reports.pictures import Picture, plot_all
from tagger.training.settings import Settings
from tagger.workspace.promotion import finish_interrupted, promote
from tagger.workspace.retrain import describe_not_learned, is_current, train_from_labels
from tagger.workspace.workspace import Workspace

__all__ = [
    "JobRunner",
    "Trained",
    "audit",
    "draw",
    "put_in_place",
    "train",
]


Progress = Callable[[int, int], None]


_N_FLIPS = 200  # entries with other tags that are named


class JobRunner:
    """One piece of work at a time, with how far it is and, in the end, its result or what went wrong."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None
        self.what, self.error = "", ""
        self.done = self.total = 0
        self.result: Any = None

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, what: str, work: Callable[[Progress], Any], then: Callable[[Any], None] = lambda result: None) -> None:
        """Begin some work.

        Args:
            what: its name.
            work: is called with what to tell its progress to, and returns the result.
            then: is called with the result, in the same thread.

        Raises:
            UsageError: if other work is under way, or a model that was trained waits for a decision.
        """

        def run() -> None:
            try:
                found = work(self._told)
                then(found)
                self.result, self.error = found, ""
            except (TaggerError, OSError, MemoryError) as error:
                self.error = str(error) or "not enough memory"

        with self._lock:
            if self.running:
                raise UsageError(f"{self.what} is under way; wait until it is done")
            if isinstance(self.result, Trained):
                raise UsageError("a new model is there; accept it or keep the old one first")
            self.what, self.result, self.done, self.total = what, None, 0, 0
            self.error = "it ended where it should not; the terminal of the server says more"  # unless it says otherwise
            self._thread = Thread(target=run, name=what, daemon=True)  # the program ends without waiting for it
            self._thread.start()

    def status(self) -> dict[str, Any]:
        """What the work is, its state ("idle", "running", "done" or "failed"), how far it is, and what went wrong."""
        state = "running" if self.running else "idle" if not self.what else "failed" if self.error else "done"
        error = self.error if state == "failed" else ""
        return {"what": self.what, "state": state, "done": self.done, "total": self.total, "error": error}

    def found(self, what: str) -> Any:
        """The result of work that is done.

        Raises:
            UsageError: if no such work is done.
        """
        if self.running or self.what != what:
            raise UsageError(f"there is no result to take of: {what}")
        return self.result

    def forget(self) -> None:
        """Make way for other work, unless some is under way."""
        with self._lock:
            if not self.running:
                self.what, self.result = "", None

    def wait(self) -> None:
        """Wait for the end of what is under way."""
        if self._thread is not None:
            self._thread.join()

    def _told(self, done: int, total: int) -> None:
        self.done, self.total = done, total


@dataclass(frozen=True)
class Trained:
    """A new model that is not in its place yet, beside the one that is."""

    model: Model
    there: bytes | None  # the file that it was compared with
    told: dict[str, Any]


def train(place: Workspace, in_use: Model, entries: Sequence[Entry], progress: Progress) -> Trained | None:
    """Train a model from the labels and compare it, as `tagger retrain` does; nothing is written.

    Args:
        place: the workspace.
        in_use: the model that tags now.
        entries: whose tags are compared.
        progress: called with the number of fits done and of all fits.

    Returns:
        None if the model that is there is what the labels give. Else the new one, and `told`: `n_entries` it was trained
        on; `figures`, of F1 by all topics together and by topic, `before` and `after`, each as in `compute_figures` or None;
        whether it is `worse`, significantly, with `p_worse`, None where there is nothing to compare with; `flips`, the
        first of `n_flips` entries without a label that have other tags: `id`, `title`, `added` and `removed`; likewise
        `labelled_flips`, of labelled ones by models that had not seen them, with what of it is `against` their labels;
        `not_learned`, a sentence for each topic with too few labels.

    Raises:
        LabelsError: if labels/ cannot be used, or there is too little to learn from.
    """
    labels = read_labels(place.labels)
    there = place.model.read_bytes() if place.model.exists() else None
    old = _readable(there, str(place.model))
    if is_current(old, labels, Settings()):
        return None
    new = train_from_labels(labels, Settings(), n_jobs=os.cpu_count() or 1, progress=progress)
    compared = compare_models(old, new, labels) if old is not None else None
    figures = new.about["figures"]
    before = compared.old if compared is not None else {"topics": {}}
    after = figures | (compared.new if compared is not None else {})
    rows = [
        {"name": name, "before": before.get(key), "after": after[key], "worse": False}
        for key, name in (("micro_f1", "all topics together (micro-F1)"), ("macro_f1", "mean of the topics (macro-F1)"))
    ]
    rows += [
        {
            "name": topic.name,
            "yes": figures["topics"][topic.id]["yes"],
            "before": before["topics"].get(topic.id, {}).get("f1"),
            "after": figures["topics"][topic.id]["f1"],
            "worse": compared is not None and topic.id in compared.worse_topics,
        }
        for topic in new.topics
    ]
    flips = _flips(in_use, new, labels, entries)
    told = {
        "n_entries": len(labels.entries),
        "figures": rows,
        "worse": compared is not None and compared.worse,
        "p_worse": compared.p_worse if compared is not None else None,
        "flips": flips[0][:_N_FLIPS],
        "n_flips": len(flips[0]),
        "labelled_flips": flips[1][:_N_FLIPS],
        "n_labelled_flips": len(flips[1]),
        "not_learned": describe_not_learned(new, Settings().min_positives),
    }
    return Trained(new, there, told)


def put_in_place(place: Workspace, trained: Trained) -> None:
    """Put a new model in the place of the old one, which is kept as the previous one.

    Raises:
        UsageError: if the model that it was compared with is another one by now.
        OutputError: if something cannot be written.
    """
    finish_interrupted(place)
    if (place.model.read_bytes() if place.model.exists() else None) != trained.there:
        raise UsageError(f"{place.model} was changed meanwhile, so the comparison does not hold; train again")
    promote(place, model_to_bytes(trained.model), card_report.model_card(trained.model))


def audit(place: Workspace, progress: Progress) -> dict[str, Any]:
    """Which labels are probably wrong; see `audit.audited`.

    Raises:
        LabelsError: if labels/ cannot be used, or there is too little to learn from.
    """
    labels = read_labels(place.labels)
    return find_label_errors(labels, Settings(), read_confirmed(place.labels), n_jobs=os.cpu_count() or 1, progress=progress)


def draw(place: Workspace, progress: Progress) -> list[Picture]:
    """The pictures of a report on labels as they are now.

    Raises:
        UsageError: if matplotlib is not installed.
        LabelsError: if labels/ cannot be used, or there is too little to learn from.
    """
    labels = read_labels(place.labels)
    return plot_all(labels, *evaluate_for_report(labels, n_jobs=os.cpu_count() or 1, progress=progress))


def _flips(old: Model, new: Model, labels: Labels, entries: Sequence[Entry]) -> list[list[dict[str, Any]]]:
    """The entries that have other tags: those without a label, and those with one, by models that had not seen them."""
    shared = [topic.id for topic in new.topics if topic.id in {known.id for known in old.topics}]
    said = {row.id: row for row in labels.rows}
    others = replace(labels, entries=tuple(entry for entry in entries if entry.id not in said))
    found: list[list[dict[str, Any]]] = []
    for some in (others, labels):
        found.append([])
        before, after = (out_of_fold_tags(model, some)[:, [model.column(id) for id in shared]] for model in (old, new))
        for n in np.flatnonzero((before != after).any(axis=1)):
            entry = some.entries[n]
            added = [shared[t] for t in np.flatnonzero(after[n] & ~before[n])]
            removed = [shared[t] for t in np.flatnonzero(before[n] & ~after[n])]
            flip = {"id": entry.id, "title": entry.title, "added": added, "removed": removed, "against": []}
            if row := said.get(entry.id):
                wrong = [*((id, "no") for id in added), *((id, "yes") for id in removed)]
                flip["against"] = [id for id, against in wrong if label_of(row, id) == against]
            found[-1].append(flip)
    return found


def _readable(data: bytes | None, path: str) -> Model | None:
    """The model in a file; one that cannot be read is as good as none."""
    try:
        return None if data is None else model_from_bytes(data, path)
    except ModelError:
        return None
