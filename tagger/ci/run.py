"""One call for a pipeline: labels, model, gate and new listings.

`check` finds out and writes nothing; `Run.write` promotes a new model and writes the tags. A `Run` holds all that its
reports need (`tagger.ci_report`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tagger.batch.plan import Plan, plan_batch
from tagger.batch.settings import BatchSettings
from tagger.curation.drift import measure_drift
from tagger.errors import LabelsError, ModelError, Problem
from tagger.evaluation.comparison import Comparison, compare_models, topics_with_other_goals
from tagger.evaluation.figures import Figures, read_figures, require_figures
from tagger.formats.registry import read_files
from tagger.labels.confirmed import check_confirmed
from tagger.labels.dataset import Labels, read_labels
from tagger.labels.table import LabelRow, read_rows
from tagger.model.decision import UNCERTAIN_ODDS_RATIO, log_odds_margins
from tagger.model.model import Model
from tagger.model.storage import load, model_to_bytes
from tagger.reports import card as card_report
from tagger.source import Source
from tagger.tags import Tagged
from tagger.taxonomy import Gate
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.promotion import finish_interrupted, previous_model, promote
from tagger.workspace.retrain import cross_validate_labels, is_current
from tagger.workspace.workspace import Workspace

__all__ = [
    "Check",
    "Run",
    "run_checks",
]


_MOST = 20  # rows named for one failure


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. `problems` are the lines that it is about."""

    name: str
    state: str  # "ok", "failed": the gate says no, "error": bad input, or "skipped"
    message: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Run:
    """What was found, and what there is to write."""

    place: Workspace
    checks: tuple[Check, ...]
    warnings: tuple[Problem, ...] = ()  # they stop nothing
    model: Model | None = None  # the one that the run is about: the new one with `retrain`
    promotes: bool = False  # whether that is to take the place of the one that is there
    plan: Plan | None = None
    tagged: tuple[Tagged, ...] = ()  # entries that are new or have other topics
    review: tuple[Problem, ...] = ()  # those of them that need a person, where they stand
    labels: Labels | None = None
    held_out: OutOfFold | None = None  # what the model's figures come from, where it was made anew or that was asked for

    @property
    def status(self) -> int:
        """The exit status: 0 all is well, 1 the gate said no, 2 bad input."""
        states = {check.state for check in self.checks}
        return 2 if "error" in states else 1 if "failed" in states else 0

    @property
    def changes(self) -> bool:
        """Whether `write` writes anything."""
        return not self.status and (
            self.promotes or (self.plan is not None and self.plan.new_manifest != self.plan.old_manifest)
        )

    @property
    def figures(self) -> Figures | None:
        """Those of the model, by cross-validation; None where it has none."""
        return None if self.model is None else read_figures(self.model)

    def write(self) -> list[Path]:
        """Promote the new model and write the tags; the paths written. Where a check failed, nothing is.

        Raises:
            OutputError: if something cannot be written.
        """
        written: list[Path] = []
        if self.status:
            return written
        if self.promotes and self.model is not None:
            promote(self.place, model_to_bytes(self.model), card_report.model_card(self.model))
            written += [path for path in (self.place.model, self.place.card, previous_model(self.place)) if path.exists()]
        return written + (self.plan.write() if self.plan is not None else [])


@dataclass(frozen=True, slots=True)
class _Moved:
    """A row of labels.csv that is not as the base's; `disputed` if both have it."""

    id: str
    topics: frozenset[str]
    disputed: bool
    problem: Problem


@dataclass
class _Draft:
    """A run as it comes together."""

    held_out: OutOfFold | None = None
    checks: list[Check] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, name: str, state: str, message: str, problems: Sequence[Problem] = ()) -> None:
        self.checks.append(Check(name, state, message, tuple(problems)))


def run_checks(
    place: Workspace,
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
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Check a workspace and its new listings. Nothing is written, but what a killed promotion left is seen to.

    Args:
        place: labels and model.
        listings: files, folders and patterns, as for `plan_batch`.
        out: the folder of outputs; None to tag and to write nothing.
        settings: of the outputs; its model and workspace are set here.
        retrain: make the model anew where it is not what the labels give.
        base: the model to compare with; by default the one that a retraining is to replace.
        base_labels: the labels/ of that model: cells that differ from them do not count in the comparison, and are named.
        fail_on_drift: fail, instead of a warning, where it is time to label more.
        keep_scores: have `held_out`, for a report, also of a model that is what the labels give.
        n_jobs: processes to train with.
        progress: called with the number of fits done and of all fits.

    Raises:
        ModelError, LabelsError: if the base cannot be used.
        UsageError, OutputError: as `plan_batch`.
    """
    finish_interrupted(place)
    draft = _Draft()
    older = load(base) if base is not None else None
    labels = _labels(place, draft)
    if labels is None:
        for name in ("model", "base", "floors", "calibration", "listings", "drift"):
            draft.add(name, "skipped", f"{place.labels} comes first")
        return Run(place, tuple(draft.checks))
    there, model = _model(place, labels, retrain, keep_scores, n_jobs, progress, draft)
    promotes = model is not there
    moved = _moved(place, labels, read_rows(base_labels / "labels.csv")) if base_labels is not None else None
    if model is None or draft.checks[-1].state != "ok":
        for name in ("base", "floors", "calibration"):
            draft.add(name, "skipped", "the model is not what the labels give")
    else:
        _against_base(place, model, older or (there if promotes else None), labels, moved, draft)
        _floors(model, labels.taxonomy.gate, moved, draft)
    if model is None or not listings:
        draft.add("listings", "skipped", "none given" if model is not None else "there is no model to tag them with")
        draft.add("drift", "skipped", "no listings were tagged")
        return Run(place, tuple(draft.checks), tuple(draft.warnings), model, promotes, labels=labels, held_out=draft.held_out)

    with tempfile.TemporaryDirectory() as scratch:
        path = place.model
        if promotes:
            path = Path(scratch) / path.name
            path.write_bytes(model_to_bytes(model))
        settings = replace(settings, model=path, workspace=place)
        plan = plan_batch(listings, out or Path(scratch) / "tags", settings, keep_going=True)
    draft.warnings += plan.warnings
    tagged = _tag_new(plan, model, place)
    problems = plan.error.problems if plan.error is not None else ()
    n_new = f"{len(tagged)} new or with other topics"
    if plan.error is not None:
        draft.add("listings", "error", f"{len(problems)} to correct", problems)
    else:
        draft.add("listings", "ok", f"{plan.n_entries} {'entry' if plan.n_entries == 1 else 'entries'}, {n_new}")
    _drift(model, labels, tagged, fail_on_drift, place, draft)
    review = tuple(_uncertain_entries(tagged, model))
    return Run(
        place,
        tuple(draft.checks),
        tuple(draft.warnings),
        model,
        promotes,
        plan if out is not None else None,
        tagged,
        review,
        labels,
        draft.held_out,
    )


def _labels(place: Workspace, draft: _Draft) -> Labels | None:
    try:
        labels = read_labels(place.labels)
    except LabelsError as error:
        n = len(error.problems)
        draft.add("labels", "error", f"{n} to correct in {place.labels}" if n else str(error), error.problems)
        return None
    if wrong := check_confirmed(place.labels, labels):
        draft.add("labels", "error", f"{len(wrong)} to correct in {place.labels}", wrong)
        return None
    draft.add("labels", "ok", f"{len(labels.entries)} labelled entries, {len(labels.topics)} topics")
    draft.warnings += labels.warnings
    return labels


def _model(
    place: Workspace,
    labels: Labels,
    retrain: bool,
    keep_scores: bool,
    n_jobs: int,
    progress: Callable[[int, int], None],
    draft: _Draft,
) -> tuple[Model | None, Model | None]:
    """The model that is there, and the one that the run is about: the same, or the one that the labels give."""
    try:
        there, why = load(place.model), f"{place.model} is not what {place.labels} gives"
    except ModelError as error:
        there, why = None, str(error).partition(";")[0]
    if is_current(there, labels, Settings()):
        draft.add("model", "ok", f"{place.model} is what {place.labels} gives")
        if keep_scores:
            _, draft.held_out = cross_validate_labels(labels, Settings(), n_jobs, progress)
        return there, there
    if not retrain:
        draft.add("model", "failed", f"{why}; run 'tagger retrain' and commit {place.model.parent}, or give --retrain")
        return there, there
    try:
        made, draft.held_out = cross_validate_labels(labels, Settings(), n_jobs, progress)
    except LabelsError as error:
        draft.add("model", "error", str(error))
        return there, there
    draft.add("model", "ok", f"made anew from {place.labels}")
    draft.warnings += [
        Problem(Source(str(place.labels / "topics.toml")), message) for message in card_report.describe_missed_goals(made)
    ]
    return there, made


def _moved(place: Workspace, labels: Labels, base: Sequence[LabelRow]) -> list[_Moved]:
    """The rows of labels.csv that do not say what the base's table says, by id."""
    path = str(place.labels / "labels.csv")
    ancestors, incompatible = labels.taxonomy.ancestors, labels.taxonomy.incompatible
    before, now = {row.id: row for row in base}, {row.id: row for row in labels.rows}
    found = []
    for id in sorted(before | now):
        row, old = now.get(id) or before[id], before.get(id)
        was, said = _labels_text(old), _labels_text(now.get(id))
        topics = [topic for topic in dict.fromkeys((*was, *said)) if was.get(topic) != said.get(topic)]
        if id in before and id in now and not topics:
            continue
        moves = ", ".join(f"{topic} {was.get(topic, 'no')} -> {said.get(topic, 'no')}" for topic in topics) or "no topic"
        state = "" if id in before and id in now else "a new row: " if id in now else "a row that is gone: "
        problem = Problem(Source(path, row.line if id in now else 0), f"{state}{moves} ({id} {row.title})")
        follows = {other for topic in topics for other in (*ancestors.get(topic, ()), *incompatible.get(topic, ()))}
        found.append(_Moved(id, frozenset({*topics, *follows}), id in before and id in now, problem))
    return found


def _labels_text(row: LabelRow | None) -> dict[str, str]:
    if row is None:
        return {}
    return dict.fromkeys(row.unsure, "unsure") | dict.fromkeys(row.topics, "yes")


def _rows(moved: Sequence[_Moved] | None, topics: Collection[str]) -> tuple[str, list[Problem]]:
    """What to say of the rows that changed, and those that are about these topics; all of them where none is."""
    if moved is None:
        return "; --base-labels names the rows of labels.csv that changed", []
    if not moved:
        return "; no row of labels.csv changed", []
    about = [row.problem for row in moved if row.topics & set(topics)] or [row.problem for row in moved]
    more = len(about) - _MOST
    shown = about[:_MOST] + ([Problem(Source(about[0].source.path), f"{more} more rows changed")] if more > 0 else [])
    return "; look at the rows of labels.csv that changed", shown


def _against_base(
    place: Workspace, model: Model, base: Model | None, labels: Labels, moved: Sequence[_Moved] | None, draft: _Draft
) -> None:
    """No topic, nor all together, significantly worse than the base by labels that are the same on both sides."""
    for topic in base.topics if base is not None else ():
        if topic.id not in {known.id for known in labels.topics}:
            message = f"the base's topic {topic.id!r} is gone; it is not compared"
            draft.warnings.append(Problem(Source(str(place.labels / "topics.toml")), message))
    for id in topics_with_other_goals(base, model) if base is not None else ():
        message = f"topic {id!r} asks for another precision than the base's; it is not compared"
        draft.warnings.append(Problem(Source(str(place.labels / "topics.toml")), message))
    disputed = {row.id: row.topics for row in moved or () if row.disputed}
    comparison = compare_models(base, model, labels, disputed) if base is not None else None
    if comparison is None:
        draft.add("base", "skipped", "no model to compare with" if base is None else "the base has no topic to compare")
        return
    worse = [_loss(comparison, topic) for topic in comparison.worse_topics]
    if comparison.worse:
        old, new = (side.micro_f1.value for side in (comparison.old, comparison.new))
        worse.insert(0, f"all topics together micro-F1 {_number(old)} -> {_number(new)} (p = {comparison.p_worse:.4f})")
    if worse:
        said, problems = _rows(moved, comparison.worse_topics)
        draft.add("base", "failed", f"significantly worse than the base: {', '.join(worse)}{said}", problems)
    else:
        n = len(comparison.p_topics)
        least = min(comparison.p_worse, *comparison.p_topics.values())
        draft.add("base", "ok", f"none of {n} {'topic' if n == 1 else 'topics'} significantly worse (least p = {least:.2f})")


def _loss(comparison: Comparison, topic: str) -> str:
    old, new = (side.topics[topic].value for side in (comparison.old, comparison.new))
    return f"{topic} F1 {_number(old)} -> {_number(new)} (p = {comparison.p_topics[topic]:.4f})"


def _floors(model: Model, gate: Gate, moved: Sequence[_Moved] | None, draft: _Draft) -> None:
    """What labels/topics.toml asks of the figures of cross-validation."""
    figures = require_figures(model)
    found = {topic: figures.topics[topic].f1.value for topic in gate.floors}
    low = {topic: floor for topic, floor in gate.floors.items() if (f1 := found[topic]) is None or f1 < floor}
    if low:
        said, problems = _rows(moved, low)
        below = ", ".join(f"{topic} F1 {_number(found[topic])} is below its floor {floor:g}" for topic, floor in low.items())
        draft.add("floors", "failed", below + said, problems)
    elif gate.floors:
        n = len(gate.floors)
        draft.add("floors", "ok", f"{n} {'topic reaches its floor' if n == 1 else 'topics reach their floors'}")
    else:
        draft.add("floors", "skipped", "no topic of labels/topics.toml has one")
    error, most = figures.calibration_error.value, gate.calibration_error
    if most is None:
        draft.add("calibration", "skipped", "labels/topics.toml sets no limit")
    elif error is None or error > most:
        draft.add("calibration", "failed", f"calibration error {_number(error)} is above its limit {most:g}")
    else:
        draft.add("calibration", "ok", f"calibration error {_number(error)}, limit {most:g}")


def _number(figure: float | None) -> str:
    return "undefined" if figure is None else f"{figure:.3f}"


def _drift(model: Model, labels: Labels, tagged: Sequence[Tagged], fail: bool, place: Workspace, draft: _Draft) -> None:
    """Whether the new entries are so far from the labelled ones that it is time to label more."""
    found = measure_drift(model, labels, [result.entry for result in tagged])
    more = bool(found.label_more)
    draft.add("drift", "failed" if more and fail else "ok", found.sentence)
    if more and not fail:
        draft.warnings.append(Problem(Source(str(place.labels / "labels.csv")), found.sentence))


def _tag_new(plan: Plan, model: Model, place: Workspace) -> tuple[Tagged, ...]:
    """The entries that are new or have other topics, in the order of the outputs, with the lines where they stand."""
    tagged: list[Tagged] = []
    for change in plan.changes:
        ids = {entry.id for entry in change.entries if entry.state != "gone"}
        inputs = plan.new_manifest.outputs[change.output].inputs if change.state != "removed" else ()
        for given in inputs:
            entries = [entry for entry in read_files([given.source], given.year).entries if entry.id in ids]
            hand = place.read_hand_labels()
            tagged += model.tag(entries, hand.rows, hand.taxonomy)
            ids -= {entry.id for entry in entries}
    return tuple(tagged)


def _uncertain_entries(tagged: Sequence[Tagged], model: Model) -> Iterator[Problem]:
    """The entries that a person should look at: a score near its threshold, or no likeness to the labelled ones."""
    machine = [result for result in tagged if result.by == "model"]
    scores = model.scores(result.entry for result in machine)
    near = np.abs(log_odds_margins(scores, model.thresholds)) <= np.log(UNCERTAIN_ODDS_RATIO)
    for n, result in enumerate(machine):
        source = result.entry.source or Source("")
        if not result.tags and (result.nearest is None or (result.note or "").startswith("unlike")):
            yield Problem(source, f"{result.entry.title}: {result.note}")
        elif near[n].any():
            close = [
                f"{model.topics[t].name} {scores[n, t]:.2f} with the threshold at {model.thresholds[t]:.2f}"
                for t in np.flatnonzero(near[n])
            ]
            yield Problem(source, f"{result.entry.title}: {'; '.join(close)}")
