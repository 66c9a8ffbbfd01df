"""What the page is told, as JSON: the one place that knows the page's keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from tagger.entry import Entry
from tagger.labels.table import LabelRow
from tagger.server.candidate import CandidateModel, F1Change, TagChange
from tagger.server.entry_state import EntryDetails, EntryState, SavedEntry
from tagger.server.evidence import TopicEvidence
from tagger.server.jobs import JobStatus
from tagger.server.queue import QueueRow
from tagger.server.session import TopicSummary

__all__ = ["entry_json", "evidence_json", "job_json", "queue_row_json", "row_json", "saved_json", "state_json", "topic_json"]

Json = dict[str, Any]
_MAX_TAG_CHANGES = 200  # entries with other tags that are named


def topic_json(topic: TopicSummary) -> Json:
    """A topic, for the page's list of them."""
    return asdict(topic)


def queue_row_json(row: QueueRow) -> Json:
    """An entry in brief."""
    return {
        "id": row.id,
        "title": row.title,
        "labelled": row.labelled,
        "topics": row.topics,
        "unsure": row.unsure,
        "doubts": [{"topic": doubt.topic, "label": doubt.label, "score": doubt.score} for doubt in row.doubts],
    }


def row_json(row: LabelRow | None) -> Json | None:
    """The labels of an entry; null for none."""
    return None if row is None else {"topics": row.topics, "unsure": row.unsure}


def state_json(state: EntryState) -> Json:
    """What is said of an entry now."""
    return {**queue_row_json(state.summary), **_labels_json(state)}


def saved_json(saved: SavedEntry) -> Json:
    """An entry after a save, with the number that undoes it."""
    return {**state_json(saved.state), "undo": saved.undo}


def entry_json(details: EntryDetails) -> Json:
    """An entry as the page shows it."""
    return {
        **queue_row_json(details.state.summary),
        "abstract": details.entry.abstract,
        "about": _facts(details.entry),
        **_labels_json(details.state),
        "scores": details.scores,
        "note": details.note,
        "why": evidence_json(details.evidence),
    }


def evidence_json(evidence: TopicEvidence) -> Json:
    """What the words of an entry did for a topic."""
    return asdict(evidence)


def job_json(status: JobStatus) -> Json:
    """How far a job is. Training that is done has `trained`, null if there was nothing to learn; an audit has `n_doubted`."""
    answer: Json = {
        "what": status.name,
        "state": status.state,
        "done": status.done,
        "total": status.total,
        "error": status.error,
    }
    if status.state == "done" and status.name == "train":
        answer["trained"] = _candidate_json(status.result) if isinstance(status.result, CandidateModel) else None
    if status.state == "done" and status.name == "audit" and isinstance(status.result, Sequence):
        answer["n_doubted"] = len(status.result)
    return answer


def _labels_json(state: EntryState) -> Json:
    return {"row": row_json(state.row), "marks": [mark.value for mark in state.marks]}


def _candidate_json(candidate: CandidateModel) -> Json:
    return {
        "n_entries": candidate.n_entries,
        "figures": [_f1_json(change) for change in candidate.f1],
        "worse": candidate.worse,
        "p_worse": candidate.p_worse,
        "flips": _tag_changes_json(candidate.tag_changes),
        "n_flips": len(candidate.tag_changes),
        "labelled_flips": _tag_changes_json(candidate.labelled_tag_changes),
        "n_labelled_flips": len(candidate.labelled_tag_changes),
        "not_learned": candidate.not_learned,
    }


def _f1_json(change: F1Change) -> Json:
    n_yes = {} if change.n_yes is None else {"yes": change.n_yes}
    before = None if change.before is None else change.before.to_json()
    return {"name": change.name, **n_yes, "before": before, "after": change.after.to_json(), "worse": change.worse}


def _tag_changes_json(changes: Sequence[TagChange]) -> list[Json]:
    return [asdict(change) for change in changes[:_MAX_TAG_CHANGES]]


def _facts(entry: Entry) -> list[str]:
    """What is known of an entry besides its title and abstract."""
    authors = ", ".join(entry.authors) + (" et al." if entry.et_al else "")
    date = entry.date.isoformat() if entry.date else None
    facts: Iterable[str | None] = (entry.category, date, authors, entry.affiliation, "Code" if entry.code else None)
    return [fact for fact in facts if fact]
