"""One call for a pipeline: labels, model, gate and new listings.

`run_checks` finds out and writes nothing. `Run.write` promotes a new model and writes the tags. A `Run` holds all that its
reports need; see reports.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.batch.plan import Plan, plan_batch
from tagger.batch.settings import BatchSettings
from tagger.ci.changed_rows import ChangedRow, find_changed_rows
from tagger.ci.check import Check
from tagger.ci.gate import check_base, check_calibration, check_floors
from tagger.ci.new_entries import find_entries_to_review, tag_new_entries
from tagger.curation.drift import measure_drift
from tagger.errors import ExitStatus, LabelsError, ModelError, Problem
from tagger.evaluation.figures import Figures, read_figures, require_figures
from tagger.formats.plain_text import count_noun
from tagger.labels.confirmed import check_confirmed
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.table import LABELS_CSV, read_rows
from tagger.model.model import Model
from tagger.model.storage import load, model_to_bytes
from tagger.reports import card as card_report
from tagger.source import Source
from tagger.tags import Tagged
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.promotion import finish_interrupted, previous_model, promote_model
from tagger.workspace.retrain import cross_validate_labels, is_current
from tagger.workspace.workspace import Workspace

__all__ = ["Run", "run_checks"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Run:
    """What was found, and what there is to write."""

    workspace: Workspace
    checks: tuple[Check, ...]
    model: Model | None = None  # the model that the run is about: the new one if it was retrained
    promotes: bool = False  # whether `model` is to take the place of the one in the workspace
    plan: Plan | None = None  # of the tags; None if none are to be written
    tagged: tuple[Tagged, ...] = ()  # entries that are new or have other topics
    review: tuple[Problem, ...] = ()  # those of them that a person should look at
    labels: Labels | None = None
    out_of_fold: OutOfFold | None = None  # what the model's figures come from, where it was made anew or that was asked for

    @property
    def status(self) -> int:
        """The exit status, as `tagger.errors.ExitStatus` has it."""
        states = {check.state for check in self.checks}
        if "error" in states:
            return ExitStatus.BAD_INPUT
        return ExitStatus.REFUSED if "failed" in states else ExitStatus.DONE

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What deserves a second look and stops nothing."""
        return tuple(warning for check in self.checks for warning in check.warnings)

    @property
    def changes(self) -> bool:
        """Whether `write` writes anything."""
        changes_tags = self.plan is not None and self.plan.new_manifest != self.plan.old_manifest
        return not self.status and (self.promotes or changes_tags)

    @property
    def figures(self) -> Figures | None:
        """The figures of the model, by cross-validation; None where it has none."""
        return None if self.model is None else read_figures(self.model)

    def write(self) -> list[Path]:
        """Promote the new model and write the tags; the paths that were written. Where a check failed, nothing is.

        Raises:
            OutputError: if something cannot be written.
        """
        written: list[Path] = []
        if self.status:
            return written
        if self.promotes and self.model is not None:
            promote_model(self.workspace, model_to_bytes(self.model), card_report.model_card(self.model))
            files = (self.workspace.model, self.workspace.card, previous_model(self.workspace))
            written += [path for path in files if path.exists()]
        return written + (self.plan.write() if self.plan is not None else [])


@dataclass(frozen=True, slots=True)
class _CheckedModel:
    """The check of the model, and the model that the run is about."""

    check: Check
    in_place: Model | None  # the workspace's model, None where it cannot be used
    model: Model | None  # the same, or the one that the labels give
    out_of_fold: OutOfFold | None = None

    @property
    def is_new(self) -> bool:
        return self.model is not self.in_place


def run_checks(
    workspace: Workspace,
    listings: Sequence[str],
    out: Path | None,
    settings: BatchSettings,
    *,
    retrain: bool = False,
    base: Path | None = None,
    base_labels: Path | None = None,
    fail_on_drift: bool = False,
    keep_scores: bool = False,
    n_jobs: int = 1,
    progress: Progress = lambda done, total: None,
) -> Run:
    """Check a workspace and its new listings. Nothing is written, except that a promotion that was killed is finished.

    Args:
        workspace: labels and model.
        listings: files, folders and patterns, as for `plan_batch`.
        out: the folder of outputs; None to tag and to write nothing.
        settings: of the outputs; their model and workspace are set here.
        retrain: make the model anew where it is not what the labels give.
        base: the model to compare with; by default the one that a retraining is to replace.
        base_labels: the labels/ of that model. Cells that differ from them do not count in the comparison, and are named.
        fail_on_drift: fail where it is time to label more; by default that is a warning.
        keep_scores: have `Run.out_of_fold`, for a report, also of a model that is what the labels give.
        n_jobs: processes to train with.
        progress: called with the number of fits done and of all fits.

    Raises:
        ModelError, LabelsError: if the base cannot be used.
        UsageError, OutputError: as `plan_batch`.
    """
    finish_interrupted(workspace)
    base_model = load(base) if base is not None else None
    labels_check, labels = _check_labels(workspace)
    if labels is None:
        later = ("model", "base", "floors", "calibration", "listings", "drift")
        return Run(workspace, (labels_check, *_skip(later, f"{workspace.labels} comes first")))
    checked = _check_model(workspace, labels, retrain, keep_scores, n_jobs, progress)
    model = checked.model
    changed = find_changed_rows(workspace, labels, read_rows(base_labels / LABELS_CSV)) if base_labels is not None else None
    gate = _check_gate(workspace, checked, base_model, labels, changed)
    run = Run(
        workspace,
        (labels_check, checked.check, *gate),
        model,
        checked.is_new,
        labels=labels,
        out_of_fold=checked.out_of_fold,
    )
    if model is None or not listings:
        reason = "none given" if model is not None else "there is no model to tag them with"
        skipped = (*_skip(["listings"], reason), *_skip(["drift"], "no listings were tagged"))
        return replace(run, checks=(*run.checks, *skipped))
    plan = _plan_listings(workspace, checked, model, listings, out, settings)
    tagged = tag_new_entries(plan, model, workspace)
    return replace(
        run,
        checks=(
            *run.checks,
            _check_listings(plan, tagged),
            _check_drift(workspace, model, labels, tagged, fail_on_drift),
        ),
        plan=plan if out is not None else None,
        tagged=tagged,
        review=tuple(find_entries_to_review(tagged, model)),
    )


def _skip(names: Sequence[str], reason: str) -> tuple[Check, ...]:
    return tuple(Check(name, "skipped", reason) for name in names)


def _check_labels(workspace: Workspace) -> tuple[Check, Labels | None]:
    """Whether labels/ is in order, and what it holds."""
    try:
        labels = read_labels(workspace.labels)
    except LabelsError as error:
        n = len(error.problems)
        message = f"{n} to correct in {workspace.labels}" if n else str(error)
        return Check("labels", "error", message, tuple(error.problems)), None
    if problems := check_confirmed(workspace.labels, labels):
        return Check("labels", "error", f"{len(problems)} to correct in {workspace.labels}", tuple(problems)), None
    message = f"{len(labels.entries)} labelled entries, {len(labels.topics)} topics"
    return Check("labels", "ok", message, warnings=labels.warnings), labels


def _check_model(
    workspace: Workspace, labels: Labels, retrain: bool, keep_scores: bool, n_jobs: int, progress: Progress
) -> _CheckedModel:
    """Whether the workspace's model is what the labels give; with `retrain`, the one that they give."""
    in_place: Model | None = None
    try:
        in_place = load(workspace.model)
        reason = f"{workspace.model} is not what {workspace.labels} gives"
    except ModelError as error:
        reason = str(error).partition(";")[0]
    if is_current(in_place, labels, Settings()):
        check = Check("model", "ok", f"{workspace.model} is what {workspace.labels} gives")
        out_of_fold = cross_validate_labels(labels, Settings(), n_jobs, progress)[1] if keep_scores else None
        return _CheckedModel(check, in_place, in_place, out_of_fold)
    if not retrain:
        advice = f"run 'tagger retrain' and commit {workspace.model.parent}, or give --retrain"
        return _CheckedModel(Check("model", "failed", f"{reason}; {advice}"), in_place, in_place)
    try:
        model, out_of_fold = cross_validate_labels(labels, Settings(), n_jobs, progress)
    except LabelsError as error:
        return _CheckedModel(Check("model", "error", str(error)), in_place, in_place)
    source = Source(str(workspace.labels / "topics.toml"))
    warnings = tuple(Problem(source, message) for message in card_report.describe_missed_goals(model))
    check = Check("model", "ok", f"made anew from {workspace.labels}", warnings=warnings)
    return _CheckedModel(check, in_place, model, out_of_fold)


def _check_gate(
    workspace: Workspace,
    checked: _CheckedModel,
    base: Model | None,
    labels: Labels,
    changed: Sequence[ChangedRow] | None,
) -> tuple[Check, ...]:
    """Whether the model reaches what it must reach, if it is what the labels give."""
    if checked.model is None or checked.check.state != "ok":
        return _skip(("base", "floors", "calibration"), "the model is not what the labels give")
    base = base or (checked.in_place if checked.is_new else None)
    figures, gate = require_figures(checked.model), labels.taxonomy.gate
    return (
        check_base(workspace, checked.model, base, labels, changed),
        check_floors(figures, gate, changed),
        check_calibration(figures, gate),
    )


def _plan_listings(
    workspace: Workspace,
    checked: _CheckedModel,
    model: Model,
    listings: Sequence[str],
    out: Path | None,
    settings: BatchSettings,
) -> Plan:
    with tempfile.TemporaryDirectory() as scratch:
        path = workspace.model
        if checked.is_new:
            path = Path(scratch) / path.name
            path.write_bytes(model_to_bytes(model))
        settings = replace(settings, model=path, workspace=workspace)
        return plan_batch(listings, out or Path(scratch) / "tags", settings, keep_going=True)


def _check_listings(plan: Plan, tagged: Sequence[Tagged]) -> Check:
    """Whether all listings can be read."""
    if plan.error is not None:
        problems = tuple(plan.error.problems)
        return Check("listings", "error", f"{len(problems)} to correct", problems, plan.warnings)
    message = f"{count_noun(plan.n_entries, 'entry', 'entries')}, {len(tagged)} new or with other topics"
    return Check("listings", "ok", message, warnings=plan.warnings)


def _check_drift(workspace: Workspace, model: Model, labels: Labels, tagged: Sequence[Tagged], fail: bool) -> Check:
    """Whether the new entries are so far from the labelled ones that it is time to label more."""
    drift = measure_drift(model, labels, [result.entry for result in tagged])
    if not drift.label_more:
        return Check("drift", "ok", drift.sentence)
    if fail:
        return Check("drift", "failed", drift.sentence)
    warning = Problem(Source(str(workspace.labels / LABELS_CSV)), drift.sentence)
    return Check("drift", "ok", drift.sentence, warnings=(warning,))
