"""`BatchTagger`: entries -> records of their tags -> the bytes of an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b

import tagger
from tagger.batch.manifest import Manifest, TagRecord
from tagger.batch.settings import BatchSettings
from tagger.entry import Entry
from tagger.formats.format import Format, WriteOptions
from tagger.model.model import Model
from tagger.model.storage import model_from_bytes, read_model_bytes
from tagger.source import Source
from tagger.stamp import hash_bytes, hash_file
from tagger.tags import Tag, Tagged
from tagger.taxonomy import Topic
from tagger.workspace.workspace import HandLabels, model_path

__all__ = ["DIGITS", "BatchTagger", "hash_content"]

DIGITS = 2  # of scores: with more of them, retraining would change nearly every line


class BatchTagger:
    """Tags the entries of a batch. The model is parsed when the first entry needs it.

    Attributes:
        hash: of all that decides how an entry is tagged and written: model, labels, format and version.

    Raises:
        ModelError: if there is no model file.
    """

    def __init__(self, settings: BatchSettings, format: Format) -> None:
        self._format = format
        self._labelled = settings.workspace if settings.use_labels else None
        self._model_bytes, self._model_path = read_model_bytes(model_path(settings.model, settings.workspace))
        labels = self._labelled and [hash_file(self._labelled.labels / name) for name in ("topics.toml", "labels.csv")]
        decisive = (tagger.__version__, format.name, DIGITS, hash_bytes(self._model_bytes), labels)
        self.hash = hash_bytes(repr(decisive).encode())

    @cached_property
    def _model(self) -> Model:
        return model_from_bytes(self._model_bytes, self._model_path)

    @cached_property
    def _hand(self) -> HandLabels:
        return self._labelled.read_hand_labels() if self._labelled is not None else HandLabels()

    def tag(self, entries: Sequence[Entry], old: Manifest) -> dict[str, TagRecord]:
        """The tags of entries, by the hash of their content.

        An entry that the manifest has as this tagger would tag it is not tagged again.

        Raises:
            ModelError, LabelsError: if the model or the labels cannot be used.
        """
        records = {
            record.content: record
            for output in old.outputs.values()
            if output.made_with == self.hash
            for record in output.records
        }
        new = {content: entry for entry in entries if (content := hash_content(entry)) not in records}
        if new:
            results = self._model.tag(list(new.values()), self._hand.rows, self._hand.taxonomy)
            for content, result in zip(new, results, strict=True):
                topics = tuple((tag.topic.id, None if tag.score is None else round(tag.score, DIGITS)) for tag in result.tags)
                entry = result.entry
                records[content] = TagRecord(entry.id, entry.title, content, topics, result.by, _note_without_figures(result))
        return records

    def render(self, entries: Sequence[tuple[str, Entry]], records: Sequence[TagRecord]) -> bytes:
        """The bytes of an output.

        Args:
            entries: each with the listing that it is from.
            records: the tags of each entry.

        Raises:
            ListingError: if the format cannot hold an entry.
        """
        topics = {topic.id: topic for topic in (*self._model.topics, *self._hand.taxonomy.topics)}
        results = []
        for (listing, entry), record in zip(entries, records, strict=True):
            tags = tuple(Tag(topics.get(id, Topic(id, id)), score, record.by) for id, score in record.topics)
            # Without a line: it would change with every entry put above it. A format that shows no source names it in errors.
            shown = replace(entry, source=Source(listing)) if self._format.names_listings else entry
            results.append(Tagged(shown, tags, note=record.note, by=record.by))
        return self._format.write_bytes(results, WriteOptions(digits=DIGITS))


def hash_content(entry: Entry) -> str:
    """A hash of title and abstract, which are all that tagging sees."""
    return blake2b(f"{entry.title}\n{entry.abstract}".encode(), digest_size=8).hexdigest()


def _note_without_figures(result: Tagged) -> str | None:
    """The note, without its figures: they change with every retraining."""
    if result.nearest is None:
        return result.note
    if (result.note or "").startswith("unlike"):
        return "unlike the labelled entries"
    return f"no topic: nearest is {result.nearest.name}"
