"""What a batch run remembers of its outputs: a JSON file among them, one entry a line, so that it diffs as they do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tagger.errors import OutputError

__all__ = ["MANIFEST", "InputRecord", "Manifest", "OutputRecord", "TagRecord", "read_manifest"]

MANIFEST = ".tagger-batch.json"
_FORMAT = 1
_LINE = ",\n"
_encode = json.JSONEncoder(ensure_ascii=False).encode


class TagRecord(NamedTuple):
    """An entry's tags as they were written."""

    id: str
    title: str
    content: str  # hash of title and abstract, which is all that tagging sees
    topics: tuple[tuple[str, float | None], ...]  # (id, rounded score), best first; no score where a person said so
    by: str
    note: str | None

    @property
    def topic_ids(self) -> tuple[str, ...]:
        """The ids of its topics, best first."""
        return tuple(topic for topic, _ in self.topics)


class InputRecord(NamedTuple):
    """A listing that an output was made from."""

    source: str  # its path as given, with "/"
    hash: str  # of its bytes
    year: int  # of dates without one


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """An output: hashes of what was written and of what it was made with, its listings and its entries."""

    hash: str
    made_with: str  # hash of the model, the labels and the form
    found_in: str | None  # the folder or pattern given in which its listing was found; None for a file given by name
    inputs: tuple[InputRecord, ...]
    records: tuple[TagRecord, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All outputs of a folder.

    Attributes:
        outputs: by path in the folder, with "/".
        writing: empty, but while a run writes. Then it has the outputs that are being replaced, each with the hash of what
            was there (None for nothing), while `outputs` has them as they are going to be.
    """

    outputs: Mapping[str, OutputRecord] = field(default_factory=dict)
    writing: Mapping[str, str | None] = field(default_factory=dict)

    def to_text(self) -> str:
        """The file's text: the same manifest gives the same text."""
        lines = []
        for output, record in sorted(self.outputs.items()):
            head = _encode({"hash": record.hash, "made_with": record.made_with, "found_in": record.found_in})[:-1]
            inputs, entries = (_LINE.join(map(_encode, rows)) for rows in (record.inputs, record.records))
            lines.append(f'{_encode(output)}: {head}, "inputs": [\n{inputs}\n], "entries": [\n{entries}\n]}}')
        start = f'{{"format": {_FORMAT}, "writing": {_encode(self.writing)}, "outputs": {{'
        return f"{start}\n{_LINE.join(lines)}\n}}}}\n"


def read_manifest(path: Path) -> Manifest:
    """The manifest of a file; an empty one where there is no file.

    Raises:
        OutputError: if the file is not a manifest, or one of a later format.
    """
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != _FORMAT:
            raise OutputError(
                f"{path}: this is manifest format {content['format']!r}, wanted {_FORMAT}; install a newer tagger"
            )
        return Manifest(
            outputs={output: _output_record(fields) for output, fields in content["outputs"].items()},
            writing=dict(content["writing"]),
        )
    except FileNotFoundError:
        return Manifest()
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise OutputError(
            f"{path}: not a manifest as tagger writes it; delete it, and a run takes up the outputs that are as it makes them"
        ) from None


def _output_record(fields: dict[str, Any]) -> OutputRecord:
    return OutputRecord(
        hash=fields["hash"],
        made_with=fields["made_with"],
        found_in=fields["found_in"],
        inputs=tuple(InputRecord(*cells) for cells in fields["inputs"]),
        records=tuple(
            TagRecord(id, title, content, tuple((topic, score) for topic, score in topics), by, note)
            for id, title, content, topics, by, note in fields["entries"]
        ),
    )
