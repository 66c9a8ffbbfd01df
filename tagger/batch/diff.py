"""What changed between two runs, or two models on the same entries: one dict, which `batch_report.diff` puts into words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tagger.batch.manifest import MANIFEST, TagChange, TagRecord, read_manifest, tag_changes
from tagger.entry import Entry
from tagger.errors import ListingError, OutputError, Problem, UsageError
from tagger.formats.registry import FORMATS, read_text
from tagger.model.model import Model
from tagger.source import Source

__all__ = [
    "diff_models",
    "diff_runs",
    "read_run",
]


_N_TERMS = 5  # shown for a topic


def diff_runs(old: Path, new: Path, entries: Sequence[Entry] = (), model: Model | None = None) -> dict[str, Any]:
    """What changed from one run to another.

    Args:
        old: an output folder of a batch, or a CSV or JSON Lines file as `tag` writes it.
        new: the same of the later run.
        entries: those whose topics are to be explained.
        model: explains them; None for no reasons.

    Returns:
        `old` and `new` (names), `n_old`, `n_new` and `n_changed` (entries), `topics` (by id `added` and `removed`, counts
        of entries) and `entries`: dicts with `id`, `title`, `state` ("new", "changed", "gone"), `added`, `removed` and
        `why`: by topic `score` and `threshold`, each an (old, new) pair, and `terms` with their shares `old` and `new`.

    Raises:
        UsageError, ListingError, OutputError: if one is no run.
    """
    texts = {entry.id: entry for entry in reversed(entries)}

    def why(change: TagChange) -> dict[str, Any]:
        if model is None or change.id not in texts:
            return {}
        known = {topic.id for topic in model.topics}
        return {
            topic: _why(None, model, texts[change.id], topic) for topic in (*change.added, *change.removed) if topic in known
        }

    return _diff(str(old), str(new), read_run(old), read_run(new), why)


def diff_models(old: Model, new: Model, entries: Sequence[Entry], names: tuple[str, str]) -> dict[str, Any]:
    """What changes for these entries from one model to another, as `diff_runs` returns it; hand labels count for nothing."""
    texts = {entry.id: entry for entry in reversed(entries)}

    def why(change: TagChange) -> dict[str, Any]:
        return {topic: _why(old, new, texts[change.id], topic) for topic in (*change.added, *change.removed)}

    return _diff(*names, _tagged(old, entries), _tagged(new, entries), why)


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
        raise UsageError(
            f"{path}: expected an output folder of 'tagger batch', or a file that ends in {', '.join(sorted(readers))}"
        )
    found: list[TagRecord] = []
    for line, row in readers[path.suffix.lower()](read_text(path)):
        if row is None:
            problem = Problem(Source(str(path), line), "expected an id, a title and topics, as 'tag' writes them")
            raise ListingError("nothing was compared", [problem])
        found.append(TagRecord(row.id, row.title, "", tuple((id, None) for id in row.topics), "", None))
    return found


def _tagged(model: Model, entries: Sequence[Entry]) -> list[TagRecord]:
    return [
        TagRecord(result.entry.id, result.entry.title, "", tuple((tag.topic.id, tag.score) for tag in result.tags), "", None)
        for result in model.tag(entries)
    ]


def _diff(
    old: str, new: str, before: list[TagRecord], after: list[TagRecord], why: Callable[[TagChange], dict[str, Any]]
) -> dict[str, Any]:
    found = tag_changes(before, after)
    added = Counter(topic for change in found for topic in change.added)
    removed = Counter(topic for change in found for topic in change.removed)
    order = sorted(added | removed, key=lambda topic: (-added[topic] - removed[topic], topic))
    return {
        "old": old,
        "new": new,
        "n_old": len({record.id for record in before}),
        "n_new": len({record.id for record in after}),
        "n_changed": sum(change.state == "changed" for change in found),
        "topics": {topic: {"added": added[topic], "removed": removed[topic]} for topic in order},
        "entries": [
            {
                "id": change.id,
                "title": change.title,
                "state": change.state,
                "added": list(change.added),
                "removed": list(change.removed),
                "why": why(change),
            }
            for change in found
        ],
    }


def _why(old: Model | None, new: Model, entry: Entry, topic: str) -> dict[str, Any]:
    """Scores, thresholds and the terms whose shares changed most; of one model, the strongest terms."""
    sides = [None if model is None else _side(model, entry, topic) for model in (old, new)]
    shares = [{} if side is None else side["shares"] for side in sides]
    moved = {term: shares[1].get(term, 0.0) - shares[0].get(term, 0.0) for term in (*shares[0], *shares[1])}
    strongest = sorted((term for term in moved if moved[term]), key=lambda term: (-abs(moved[term]), term))[:_N_TERMS]
    return {
        "score": [side and side["score"] for side in sides],
        "threshold": [side and side["threshold"] for side in sides],
        "terms": [{"term": term, "old": _share(sides[0], term), "new": _share(sides[1], term)} for term in strongest],
    }


def _share(side: dict[str, Any] | None, term: str) -> float | None:
    return None if side is None else round(side["shares"].get(term, 0.0), 4)


def _side(model: Model, entry: Entry, topic: str) -> dict[str, Any] | None:
    """Score, threshold and shares by term; None where the model has no such topic."""
    if topic not in {known.id for known in model.topics}:
        return None
    column = model.column(topic)
    threshold = model.threshold_of(topic)
    return {
        "score": round(float(model.scores([entry])[0, column]), 4),
        "threshold": None if threshold is None else round(threshold, 4),
        "shares": {reason.term: reason.share for reason in model.why(entry, topic)},
    }
