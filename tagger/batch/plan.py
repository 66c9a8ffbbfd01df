"""Many listings -> an output for each, or one for all. Only what changed is done again.

`plan_batch` reads, tags and says what would change; `Plan.write` writes that. The manifest in the output folder has hashes of
what each output was made from: its listings, the model, the labels. Where these and the output are as the manifest has them,
nothing is read any further. In a listing that changed, each entry whose text is the same keeps its tags.

An output is only replaced or removed if it is as tagger wrote it, by its hash in the manifest. The manifest is written before
the outputs, with the hashes of what is written and of what is replaced, and once more after them. So a run that is killed
leaves nothing that the next run takes for somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from tagger.atomic import remove_leftovers, write_whole
from tagger.batch.discovery import FoundListing, find_listings
from tagger.batch.manifest import MANIFEST, InputRecord, Manifest, OutputRecord, read_manifest
from tagger.batch.outputs import FileChange, OutputChanges, assign_outputs
from tagger.batch.reading import ReadListing, read_found_listings
from tagger.batch.settings import BatchSettings, choose_output_format
from tagger.batch.tagging import BatchTagger, hash_content
from tagger.errors import ListingError, OutputError, Problem, TaggerError
from tagger.formats.plain_text import count_noun
from tagger.source import Source
from tagger.stamp import hash_bytes, hash_file

__all__ = ["Plan", "plan_batch"]


@dataclass(frozen=True)
class Plan:
    """What a run would write, and what it has to say.

    Attributes:
        folder: of the outputs.
        changes: what becomes of outputs, by path.
        n_listings: how many listings there are.
        n_entries: how many entries are in the listings that could be read.
        warnings: what deserves a second look.
        error: what is wrong with listings, and which outputs are not ours; with `keep_going` only.
        contents: by output, the bytes to write.
        replaced_hashes: by output to write, the hash of what is there; None for nothing.
        old_manifest: as the last run left it.
        new_manifest: as it is after this run.
    """

    folder: Path
    changes: tuple[FileChange, ...]
    n_listings: int
    n_entries: int
    warnings: tuple[Problem, ...]
    error: TaggerError | None
    contents: Mapping[str, bytes]
    replaced_hashes: Mapping[str, str | None]
    old_manifest: Manifest
    new_manifest: Manifest

    @property
    def removed(self) -> tuple[str, ...]:
        """The outputs to remove."""
        return tuple(change.output for change in self.changes if change.state == "removed")

    def write(self) -> list[Path]:
        """Write the outputs that changed, and remove those whose listings are gone.

        Returns:
            The paths written.

        Raises:
            OutputError: if something cannot be written; what was written is then as it should be.
        """
        if not self.contents and not self.removed and self.new_manifest == self.old_manifest:
            return []
        for output in (MANIFEST, *self.contents):
            _make_folder((self.folder / output).parent)
        manifest = self.folder / MANIFEST
        if self.contents:
            to_remove = {output: self.old_manifest.outputs[output] for output in self.removed}
            write_whole(manifest, Manifest({**to_remove, **self.new_manifest.outputs}, self.replaced_hashes).to_text())
        for output in sorted({MANIFEST, *self.old_manifest.writing, *self.contents}):
            remove_leftovers(self.folder / output)
        for output, content in self.contents.items():
            write_whole(self.folder / output, content)
        for output in self.removed:
            _remove_with_empty_folders(self.folder / output, self.folder)
        write_whole(manifest, self.new_manifest.to_text())
        return [self.folder / output for output in self.contents]


def plan_batch(
    listings: Sequence[str],
    out: Path,
    settings: BatchSettings,
    *,
    force: bool = False,
    keep_going: bool = False,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """What tagging these listings into a folder would change. Nothing is written.

    Args:
        listings: files, folders and patterns such as "lists/**/*.txt".
        out: the folder of outputs; it need not be there.
        settings: format, model and labels.
        force: replace outputs that are not as tagger wrote them.
        keep_going: leave bad listings, and outputs that are not ours, as they are, and name them in `Plan.error`.
        n_jobs: how many processes read listings; the outputs are the same for any number.
        progress: called with (listings read, listings to read).

    Raises:
        ListingError: naming all that is wrong with the listings.
        OutputError: naming outputs that a person or another program wrote.
        UsageError: if two listings would have the same output, or an output is a listing.
        ModelError, LabelsError: if they cannot be used.
    """
    format = choose_output_format(settings)
    old = read_manifest(out / MANIFEST)
    found_listings, problems = find_listings(listings, out, old)
    wanted = assign_outputs(found_listings, out, settings, format)
    tagger = BatchTagger(settings, format)
    outputs = OutputChanges(out, old, force)
    stale: dict[str, Sequence[FoundListing]] = {}
    for output, inputs in wanted.items():
        if _is_up_to_date(out / output, old.outputs.get(output), inputs, tagger.hash, settings.year):
            outputs.records[output] = replace(old.outputs[output], found_in=_found_in(inputs, settings))
        else:
            stale[output] = inputs
    warnings = outputs.remove_lost(wanted, found_listings, listings)

    to_read = [listing for inputs in stale.values() for listing in inputs]
    years = _years_of_dates(to_read, stale, old, settings.year)
    readings = read_found_listings(to_read, years, n_jobs, progress)
    tags = tagger.tag([entry for reading in readings.values() for entry in reading.listing.entries], old)
    for output, inputs in stale.items():
        for listing in inputs:
            warnings += readings[listing.source].listing.warnings
            problems += readings[listing.source].listing.problems
        readable = [listing for listing in inputs if not readings[listing.source].listing.problems]
        if inputs and not readable:
            continue
        entries = [(listing.source, entry) for listing in readable for entry in readings[listing.source].listing.entries]
        records = tuple(tags[hash_content(entry)] for _, entry in entries)
        try:
            content = tagger.render(entries, records)
        except ListingError as error:
            problems += error.problems or [Problem(Source(readable[0].source), str(error))]
            continue
        made_from = tuple(_input_records(readable, readings, years))
        record = OutputRecord(hash_bytes(content), tagger.hash, _found_in(inputs, settings), made_from, records)
        outputs.write(output, content, record)

    failures = _describe_failures(problems, outputs.edited, keep_going)
    if failures is not None and not keep_going:
        raise failures
    return Plan(
        folder=out,
        changes=tuple(sorted(outputs.changes, key=lambda change: change.output)),
        n_listings=len(found_listings),
        n_entries=sum(len(outputs.records[output].records) for output in wanted if output in outputs.records),
        warnings=tuple(warnings),
        error=failures,
        contents=outputs.contents,
        replaced_hashes=outputs.replaced_hashes,
        old_manifest=old,
        new_manifest=Manifest(outputs.records),
    )


def _is_up_to_date(
    path: Path, record: OutputRecord | None, inputs: Sequence[FoundListing], made_with: str, year: int | None
) -> bool:
    """Whether an output is there as it would be made now."""
    return (
        record is not None
        and record.made_with == made_with
        and [before.source for before in record.inputs] == [listing.source for listing in inputs]
        and all(year in (None, before.year) for before in record.inputs)
        and all(hash_file(listing.path) == before.hash for listing, before in zip(inputs, record.inputs, strict=True))
        and hash_file(path) == record.hash
    )


def _found_in(inputs: Sequence[FoundListing], settings: BatchSettings) -> str | None:
    return inputs[0].found_in if settings.combined is None else None


def _years_of_dates(
    listings: Sequence[FoundListing], stale: Mapping[str, object], old: Manifest, year: int | None
) -> dict[str, int]:
    """By source, the year of dates without one: the one given, else that of the last run, else the current one."""
    last_run = (old.outputs[output] for output in stale if output in old.outputs)
    last_years = {before.source: before.year for record in last_run for before in record.inputs}
    return {listing.source: year or last_years.get(listing.source) or date.today().year for listing in listings}


def _input_records(
    listings: Sequence[FoundListing], readings: Mapping[str, ReadListing], years: Mapping[str, int]
) -> Iterator[InputRecord]:
    for listing in listings:
        yield InputRecord(listing.source, readings[listing.source].hash, years[listing.source])


def _describe_failures(problems: list[Problem], edited: list[Problem], keep_going: bool) -> TaggerError | None:
    """One error for all that could not be done; None where there is nothing."""
    if not problems and not edited:
        return None
    n_files = len({problem.source.path for problem in (*problems, *edited)})
    message = f"{count_noun(n_files, 'file', 'files')} to look at, as named above"
    if not keep_going:
        message += "; nothing was written, --keep-going leaves these alone and does the others"
    return (ListingError if problems else OutputError)(message, [*problems, *edited])


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be made: {error.strerror}") from None


def _remove_with_empty_folders(path: Path, top: Path) -> None:
    """Remove a file, and the folders above it that are empty then, up to `top`."""
    try:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == top or any(folder.iterdir()):
                break
            folder.rmdir()
    except OSError as error:
        raise OutputError(f"{path}: cannot be removed: {error.strerror}") from None
