"""What changed between two runs, or between two models on the same entries, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tagger.batch.changes import EntryChange, find_entry_changes
from tagger.batch.manifest import MANIFEST, TagRecord, read_manifest
from tagger.entry import Entry
from tagger.errors import ListingError, OutputError, Problem, UsageError
from tagger.formats.registry import FORMATS, read_text
from tagger.model.model import Model
from tagger.source import Source

__all__ = [
    "EntryDiff",
    "OldAndNew",
    "RunDiff",
    "TermChange",
    "TopicChange",
    "TopicCounts",
    "diff_models",
    "diff_runs",
    "diff_to_json",
    "read_run",
]

_N_TERMS = 5  # that explain why an entry got or lost a topic
_DIGITS = 4  # of scores, thresholds and shares


class OldAndNew(NamedTuple):
    """A figure before and after; None where there is none."""

    old: float | None
    new: float | None


class TermChange(NamedTuple):
    """A term of an entry, and its share of the log-odds of a topic before and after; None where there is no model."""

    term: str
    old: float | None
    new: float | None


@dataclass(frozen=True, slots=True)
class TopicChange:
    """Why an entry got or lost a topic: its score, the topic's threshold, and the terms whose shares changed most."""

    score: OldAndNew
    threshold: OldAndNew
    terms: tuple[TermChange, ...]


class TopicCounts(NamedTuple):
    """How many entries got and lost a topic."""

    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class EntryDiff:
    """What became of an entry, and why, by topic; no reasons where nothing explains them."""

    change: EntryChange
    why: Mapping[str, TopicChange]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What changed from one run or model to another.

    Attributes:
        old: what the first one is called.
        new: what the second one is called.
        n_old: entries of the first one.
        n_new: entries of the second one.
        topics: by topic id, how many entries got and lost it; the topic that changed most comes first.
        entries: those that are new, gone, or have other topics.
    """

    old: str
    new: str
    n_old: int
    n_new: int
    topics: Mapping[str, TopicCounts]
    entries: tuple[EntryDiff, ...]

    def count_entries(self, state: str) -> int:
        """How many entries are "new", "changed" or "gone"."""
        return sum(entry.change.state == state for entry in self.entries)


def diff_runs(old: Path, new: Path, entries: Sequence[Entry] = (), model: Model | None = None) -> RunDiff:
    """What changed from one run to another.

    Args:
        old: an output folder of a batch, or a CSV or JSON Lines file as `tag` writes it.
        new: the same of the later run.
        entries: those whose topics are to be explained.
        model: explains them; None for no reasons.

    Raises:
        UsageError, ListingError, OutputError: if one is no run.
    """
    by_id = {entry.id: entry for entry in reversed(entries)}

    def explain(change: EntryChange) -> dict[str, TopicChange]:
        if model is None or change.id not in by_id:
            return {}
        topics = [topic for topic in (*change.added, *change.removed) if topic in model.taxonomy.column]
        return {topic: _explain_change(None, model, by_id[change.id], topic) for topic in topics}

    return _diff(str(old), str(new), read_run(old), read_run(new), explain)


def diff_models(old: Model, new: Model, entries: Sequence[Entry], names: tuple[str, str]) -> RunDiff:
    """What changes for these entries from one model to another, whatever a person said of them.

    Args:
        old: the first model.
        new: the second model.
        entries: what both tag.
        names: what the models are called.
    """
    by_id = {entry.id: entry for entry in reversed(entries)}

    def explain(change: EntryChange) -> dict[str, TopicChange]:
        return {topic: _explain_change(old, new, by_id[change.id], topic) for topic in (*change.added, *change.removed)}

    return _diff(*names, _tag_records(old, entries), _tag_records(new, entries), explain)


def read_run(path: Path) -> list[TagRecord]:
    """The entries of a run, in path order.

    Raises:
        UsageError: if the path is not there, or neither a folder nor a CSV or JSON Lines file.
        ListingError: if the file cannot be read or has no ids and topics.
        OutputError: if the folder has no manifest that can be read.
    """
    if path.is_dir():
        if not (path / MANIFEST).exists():
            raise OutputError(f"{path}: no {MANIFEST} in it, which 'tagger batch' writes; give a CSV or JSON Lines file")
        return [record for _, output in sorted(read_manifest(path / MANIFEST).outputs.items()) for record in output.records]
    readers = {ending: format.read_tags for format in FORMATS if format.read_tags for ending in format.endings}
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if path.suffix.lower() not in readers:
        endings = ", ".join(sorted(readers))
        raise UsageError(f"{path}: expected an output folder of 'tagger batch', or a file that ends in {endings}")
    records: list[TagRecord] = []
    for line, row in readers[path.suffix.lower()](read_text(path)):
        if row is None:
            problem = Problem(Source(str(path), line), "expected an id, a title and topics, as 'tag' writes them")
            raise ListingError("nothing was compared", [problem])
        records.append(_tag_record(row.id, row.title, row.topics))
    return records


def diff_to_json(diff: RunDiff) -> dict[str, Any]:
    """The object of `tagger diff --format json`, as docs/formats.md describes it."""
    return {
        "old": diff.old,
        "new": diff.new,
        "n_old": diff.n_old,
        "n_new": diff.n_new,
        "n_changed": diff.count_entries("changed"),
        "topics": {topic: counts._asdict() for topic, counts in diff.topics.items()},
        "entries": [
            entry.change._asdict()
            | {
                "why": {
                    topic: {
                        "score": reason.score,
                        "threshold": reason.threshold,
                        "terms": [term._asdict() for term in reason.terms],
                    }
                    for topic, reason in entry.why.items()
                }
            }
            for entry in diff.entries
        ],
    }


def _tag_records(model: Model, entries: Sequence[Entry]) -> list[TagRecord]:
    return [
        _tag_record(result.entry.id, result.entry.title, [tag.topic.id for tag in result.tags]) for result in model.tag(entries)
    ]


def _tag_record(id: str, title: str, topics: Sequence[str]) -> TagRecord:
    """A record of what a comparison looks at."""
    return TagRecord(id, title, content="", topics=tuple((topic, None) for topic in topics), by="", note=None)


def _diff(
    old: str,
    new: str,
    old_records: list[TagRecord],
    new_records: list[TagRecord],
    explain: Callable[[EntryChange], dict[str, TopicChange]],
) -> RunDiff:
    changes = find_entry_changes(old_records, new_records)
    added = Counter(topic for change in changes for topic in change.added)
    removed = Counter(topic for change in changes for topic in change.removed)
    most_changed_first = sorted(added | removed, key=lambda topic: (-added[topic] - removed[topic], topic))
    return RunDiff(
        old=old,
        new=new,
        n_old=len({record.id for record in old_records}),
        n_new=len({record.id for record in new_records}),
        topics={topic: TopicCounts(added[topic], removed[topic]) for topic in most_changed_first},
        entries=tuple(EntryDiff(change, explain(change)) for change in changes),
    )


@dataclass(frozen=True, slots=True)
class _ModelView:
    """What a model says of a topic of one entry; nothing where it does not have the topic."""

    score: float | None = None
    threshold: float | None = None
    shares: Mapping[str, float] | None = None  # by term

    def share_of(self, term: str) -> float | None:
        return None if self.shares is None else round(self.shares.get(term, 0.0), _DIGITS)


def _explain_change(old: Model | None, new: Model, entry: Entry, topic: str) -> TopicChange:
    """Scores, thresholds and the terms whose shares changed most; of one model alone, the strongest terms."""
    before = _ModelView() if old is None else _view(old, entry, topic)
    after = _view(new, entry, topic)
    old_shares, new_shares = before.shares or {}, after.shares or {}
    changes = {term: new_shares.get(term, 0.0) - old_shares.get(term, 0.0) for term in (*old_shares, *new_shares)}
    strongest = sorted((term for term in changes if changes[term]), key=lambda term: (-abs(changes[term]), term))
    return TopicChange(
        OldAndNew(before.score, after.score),
        OldAndNew(before.threshold, after.threshold),
        tuple(TermChange(term, before.share_of(term), after.share_of(term)) for term in strongest[:_N_TERMS]),
    )


def _view(model: Model, entry: Entry, topic: str) -> _ModelView:
    if topic not in model.taxonomy.column:
        return _ModelView()
    threshold = model.threshold_of(topic)
    return _ModelView(
        score=round(float(model.scores([entry])[0, model.column(topic)]), _DIGITS),
        threshold=None if threshold is None else round(threshold, _DIGITS),
        shares={reason.term: reason.share for reason in model.why(entry, topic)},
    )
