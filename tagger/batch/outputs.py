"""The outputs of a batch: which listing goes into which, and what is to be written and removed."""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.batch.changes import EntryChange, find_entry_changes
from tagger.batch.discovery import FoundListing, is_gone
from tagger.batch.manifest import Manifest, OutputRecord
from tagger.batch.settings import BatchSettings
from tagger.errors import Problem, UsageError
from tagger.formats.format import Format
from tagger.source import Source
from tagger.stamp import hash_file

__all__ = ["FileChange", "OutputChanges", "assign_outputs"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of an output; `entries` are those that come, go or have other topics."""

    output: str
    state: str  # "new", "changed" or "removed"
    n_entries: int
    entries: tuple[EntryChange, ...]


def assign_outputs(
    listings: Sequence[FoundListing], folder: Path, settings: BatchSettings, format: Format
) -> dict[str, Sequence[FoundListing]]:
    """The listings of each output, by its path in the output folder.

    Raises:
        UsageError: if two listings have the same output, or an output is a listing.
    """
    outputs: dict[str, Sequence[FoundListing]] = {}
    if settings.combined is not None:
        outputs[Path(settings.combined).as_posix()] = listings
    else:
        for listing in listings:
            output = listing.stem + format.ending
            if output in outputs:
                first, second = outputs[output][0].source, listing.source
                advice = "rename one"
                if Path(first).parent != Path(second).parent:
                    advice += ", or give the folder that holds both"
                raise UsageError(f"{first} and {second} would both be written to {folder / output}; {advice}")
            outputs[output] = (listing,)
    sources = {listing.path.resolve(): listing.source for listing in listings}
    for output in outputs:
        if (source := sources.get((folder / output).resolve())) is not None:
            raise UsageError(f"{source} would be replaced by its own tags; give another output folder")
    return outputs


class OutputChanges:
    """What a run is to write and remove, as it comes together.

    An output that is there and not as tagger wrote it is left alone, unless `force` is set.

    Attributes:
        records: by output, what the manifest says of it after the run.
        contents: by output, the bytes to write.
        replaced_hashes: by output to write, the hash of what is there; None for nothing.
        changes: what becomes of each output that is written or removed.
        edited: the outputs that somebody else wrote, which are left alone.
    """

    def __init__(self, folder: Path, old: Manifest, force: bool) -> None:
        self._folder, self._old, self._force = folder, old, force
        self.records: dict[str, OutputRecord] = dict(old.outputs)
        self.contents: dict[str, bytes] = {}
        self.replaced_hashes: dict[str, str | None] = {}
        self.changes: list[FileChange] = []
        self.edited: list[Problem] = []

    def write(self, output: str, content: bytes, record: OutputRecord) -> None:
        """Note an output as it should be."""
        hash_now = hash_file(self._folder / output)
        if hash_now != record.hash:
            if not self._may_replace(output, hash_now):
                self.edited.append(Problem(self._source(output), "not as tagger wrote it; --force replaces it"))
                return
            self.contents[output], self.replaced_hashes[output] = content, hash_now
            before = self._old.outputs[output].records if output in self._old.outputs else ()
            state = "new" if hash_now is None else "changed"
            self.changes.append(
                FileChange(output, state, len(record.records), tuple(find_entry_changes(before, record.records)))
            )
        self.records[output] = record

    def remove_lost(self, wanted: Container[str], listings: Sequence[FoundListing], searched: Sequence[str]) -> list[Problem]:
        """Note for removal each output whose listing is gone from the folder or pattern in which it was found.

        Args:
            wanted: the outputs of this run.
            listings: those of this run.
            searched: the files, folders and patterns in which they were found.

        Returns:
            A warning for each other output whose listings are gone; it is kept.
        """
        warnings: list[Problem] = []
        sources, folders = {listing.source for listing in listings}, set(map(os.path.normpath, searched))
        for output, record in self._old.outputs.items():
            gone = [listing.source for listing in record.inputs if listing.source not in sources and is_gone(listing.source)]
            if output in wanted or not record.inputs or len(gone) < len(record.inputs):
                continue
            hash_now = hash_file(self._folder / output)
            if record.found_in not in folders:
                if hash_now is None:
                    del self.records[output]
                else:
                    why = "no folder given holds it; delete it if it is not wanted"
                    warnings.append(Problem(self._source(output), f"kept, though {gone[0]} is gone: {why}"))
            elif not self._may_replace(output, hash_now):
                why = "not as tagger wrote it; --force removes it"
                warnings.append(Problem(self._source(output), f"kept, though {gone[0]} is gone: {why}"))
            else:
                self.changes.append(FileChange(output, "removed", 0, tuple(find_entry_changes(record.records, ()))))
                del self.records[output]
        return warnings

    def _may_replace(self, output: str, hash_now: str | None) -> bool:
        """Whether nothing is there, or what an earlier run wrote or was about to replace."""
        record = self._old.outputs.get(output)
        return self._force or hash_now in (None, record and record.hash, self._old.writing.get(output))

    def _source(self, output: str) -> Source:
        return Source(str(self._folder / output))
