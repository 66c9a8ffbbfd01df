"""The entries that are new in the outputs or have other topics, and those of them that a person should look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tagger.batch.plan import Plan
from tagger.errors import Problem
from tagger.formats.registry import read_files
from tagger.model.decision import UNCERTAIN_ODDS_RATIO, log_odds_margins
from tagger.model.model import Model
from tagger.source import Source
from tagger.tags import Tagged
from tagger.workspace.workspace import Workspace

__all__ = ["find_entries_to_review", "tag_new_entries"]


def tag_new_entries(plan: Plan, model: Model, workspace: Workspace) -> tuple[Tagged, ...]:
    """The entries that are new or have other topics, in the order of the outputs, with the lines where they stand."""
    hand = workspace.read_hand_labels()
    tagged: list[Tagged] = []
    for change in plan.changes:
        ids = {entry.id for entry in change.entries if entry.state != "gone"}
        inputs = plan.new_manifest.outputs[change.output].inputs if change.state != "removed" else ()
        for listing in inputs:
            entries = [entry for entry in read_files([listing.source], listing.year).entries if entry.id in ids]
            tagged += model.tag(entries, hand.rows, hand.taxonomy)
            ids -= {entry.id for entry in entries}
    return tuple(tagged)


def find_entries_to_review(tagged: Sequence[Tagged], model: Model) -> Iterator[Problem]:
    """The entries that a person should look at: a score is near its threshold, or the entry is unlike the labelled ones."""
    by_model = [result for result in tagged if result.by == "model"]
    scores = model.scores(result.entry for result in by_model)
    uncertain = np.abs(log_odds_margins(scores, model.thresholds)) <= np.log(UNCERTAIN_ODDS_RATIO)
    for n, result in enumerate(by_model):
        source = result.entry.source or Source("")
        if not result.tags and (result.nearest is None or (result.note or "").startswith("unlike")):
            yield Problem(source, f"{result.entry.title}: {result.note}")
        elif uncertain[n].any():
            reasons = [
                f"{model.topics[t].name} {scores[n, t]:.2f} with the threshold at {model.thresholds[t]:.2f}"
                for t in np.flatnonzero(uncertain[n])
            ]
            yield Problem(source, f"{result.entry.title}: {'; '.join(reasons)}")
