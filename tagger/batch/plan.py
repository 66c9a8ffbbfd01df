"""Many listings -> an output for each, or one for all; only what changed is done again.

`plan` reads, tags and says what would change; `Plan.write` writes that. What an output was made from is known by hashes of
the bytes: of its listings, of the model, of the labels. Where all are as the manifest has them, and the output too, nothing
is read any further. In a listing that changed, the entries whose text did not keep their tags.

An output is only replaced or removed if it is as it was written, by the hash in the manifest. The manifest is written before
the outputs, with the hashes of what it is and of what is there, and once more after them: a run that is killed leaves
nothing that the next one takes for somebody else's.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from hashlib import blake2b, file_digest
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import tagger
from tagger import DISTRIBUTION
from tagger.atomic import remove_leftovers, write_whole
from tagger.batch.discovery import FoundListing, find_listings, is_gone
from tagger.batch.manifest import (
    MANIFEST,
    InputRecord,
    Manifest,
    OutputRecord,
    TagChange,
    TagRecord,
    read_manifest,
    tag_changes,
)
from tagger.entry import Entry
from tagger.errors import ListingError, OutputError, Problem, TaggerError, UsageError
from tagger.formats.listing import Listing
from tagger.formats.registry import decode_text, read_entries
from tagger.model.model import Model
from tagger.model.storage import model_from_bytes, read_model_bytes
from tagger.reports import tags as report
from tagger.source import Source
from tagger.tags import Tag, Tagged
from tagger.taxonomy import Topic
from tagger.workspace.workspace import HandLabels, Workspace, model_path

__all__ = [
    "COMBINED",
    "DIGITS",
    "ENDINGS",
    "BatchSettings",
    "FileChange",
    "Plan",
    "plan_batch",
]


DIGITS = 2  # of scores: with more of them, retraining would change nearly every line


ENDINGS = {"csv": ".csv", "jsonl": ".jsonl", "markdown": ".md", "table": ".txt", "listing": ".txt"}


COMBINED = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What decides, beside the listings, what the outputs hold.

    Attributes:
        form: one of `ENDINGS`.
        combined: the name in the output folder of one file for all, its form from its ending; None for one file a listing.
        year: of dates without one; None for the year in which the listing was first tagged.
        model: the model file; None for the workspace's, else the one shipped.
        workspace: whose model and hand labels count.
        use_labels: whether hand labels go before the model's tags.
    """

    form: str = "csv"
    combined: str | None = None
    year: int | None = None
    model: Path | None = None
    workspace: Workspace | None = None
    use_labels: bool = True


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of an output; `entries` are those that come, go or have other topics."""

    output: str
    state: str  # "new", "changed" or "removed"
    n_entries: int
    entries: tuple[TagChange, ...]


@dataclass(frozen=True)
class Plan:
    """What a run would write, and what it has to say."""

    out: Path
    changes: tuple[FileChange, ...]  # by path
    n_inputs: int
    n_entries: int  # of the listings that could be read
    warnings: tuple[Problem, ...]
    error: TaggerError | None  # bad listings and outputs that are not ours, with `keep_going`
    data: Mapping[str, bytes]  # what to write, by output
    there: Mapping[str, str | None]  # the hash of what is there, by output to write
    old: Manifest
    made: Mapping[str, OutputRecord]

    def write(self) -> list[Path]:
        """Write the outputs that changed, remove those whose listings are gone; the paths written.

        Raises:
            OutputError: if something cannot be written; what was written is then as it should be.
        """
        new = Manifest(self.made)
        manifest = self.out / MANIFEST
        removed = [change.output for change in self.changes if change.state == "removed"]
        if not self.data and not removed and new == self.old:
            return []
        for output in (MANIFEST, *self.data):
            try:
                (self.out / output).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{error.filename}: cannot be made: {error.strerror}") from None
        if self.data:
            gone = {output: self.old.made[output] for output in removed}
            write_whole(manifest, Manifest({**gone, **self.made}, self.there).to_text())
        for output in sorted({MANIFEST, *self.old.writing, *self.data}):
            remove_leftovers(self.out / output)
        for output, data in self.data.items():
            write_whole(self.out / output, data)
        for output in removed:
            self._remove(output)
        write_whole(manifest, new.to_text())
        return [self.out / output for output in self.data]

    def _remove(self, output: str) -> None:
        path = self.out / output
        try:
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.out or any(folder.iterdir()):
                    break
                folder.rmdir()
        except OSError as error:
            raise OutputError(f"{path}: cannot be removed: {error.strerror}") from None


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
        settings: form, model and labels.
        force: replace outputs that are not as they were written.
        keep_going: leave bad listings, and outputs that are not ours, as they are, and name them in `Plan.error`.
        n_jobs: how many processes read listings; the outputs are the same for any number.
        progress: called with (listings read, listings to read).

    Raises:
        ListingError: naming all that is wrong with the listings.
        OutputError: naming outputs that a person or another program wrote.
        UsageError: if two listings would have the same output, or an output is a listing.
        ModelError, LabelsError: if they cannot be used.
    """
    form = _form(settings)
    old = read_manifest(out / MANIFEST)
    found, problems = find_listings(listings, out, old)
    wanted = _outputs(found, out, settings, form)
    engine = _Engine(settings, form)
    draft = _Draft(out, old, force)
    todo: dict[str, Sequence[FoundListing]] = {}
    for output, sources in wanted.items():
        if _is_current(out / output, old.made.get(output), sources, engine.hash, settings.year):
            draft.made[output] = replace(old.made[output], found_in=_found_in(sources, settings))
        else:
            todo[output] = sources
    warnings = draft.remove(wanted, found, listings)

    known_years = {given.source: given.year for output in todo if output in old.made for given in old.made[output].inputs}
    sources = [source for sources in todo.values() for source in sources]
    years = {each.source: settings.year or known_years.get(each.source) or date.today().year for each in sources}
    readings = _read_all(sources, years, n_jobs, progress)
    tags = engine.tags([entry for _, listing in readings.values() for entry in listing.entries], old)
    for output, sources in todo.items():
        for source in sources:
            warnings += readings[source.source][1].warnings
            problems += readings[source.source][1].problems
        good = [source for source in sources if not readings[source.source][1].problems]
        if sources and not good:
            continue
        entries = [(source.source, entry) for source in good for entry in readings[source.source][1].entries]
        records = tuple(tags[_content(entry)] for _, entry in entries)
        try:
            data = engine.render(entries, records)
        except ListingError as error:
            problems += error.problems or [Problem(Source(good[0].source), str(error))]
            continue
        inputs = tuple(InputRecord(source.source, readings[source.source][0], years[source.source]) for source in good)
        draft.put(output, data, OutputRecord(_hash(data), engine.hash, _found_in(sources, settings), inputs, records))

    wrong = _error(problems, draft.edited, keep_going)
    if wrong is not None and not keep_going:
        raise wrong
    return Plan(
        out,
        tuple(sorted(draft.changes, key=lambda change: change.output)),
        len(found),
        sum(len(draft.made[output].records) for output in wanted if output in draft.made),
        tuple(warnings),
        wrong,
        draft.data,
        draft.there,
        old,
        draft.made,
    )


class _Draft:
    """What is to be written, as it comes together."""

    def __init__(self, out: Path, old: Manifest, force: bool) -> None:
        self.out, self.old, self.force = out, old, force
        self.made = dict(old.made)
        self.data: dict[str, bytes] = {}
        self.there: dict[str, str | None] = {}
        self.changes: list[FileChange] = []
        self.edited: list[Problem] = []

    def put(self, output: str, data: bytes, made: OutputRecord) -> None:
        """An output as it should be; one that is there and not ours is kept, and named in `edited`."""
        before, there = self.old.made.get(output), _hash_of(self.out / output)
        if there != made.hash:
            if not (self.force or self._is_ours(output, there)):
                self.edited.append(Problem(Source(str(self.out / output)), "not as tagger wrote it; --force replaces it"))
                return
            self.data[output], self.there[output] = data, there
            entries = tag_changes(before.records if before else (), made.records)
            state = "new" if there is None else "changed"
            self.changes.append(FileChange(output, state, len(made.records), tuple(entries)))
        self.made[output] = made

    def remove(self, wanted: Mapping[str, object], found: Sequence[FoundListing], listings: Sequence[str]) -> list[Problem]:
        """Take out what came from a folder or pattern that has it no more; outputs of other lost listings are returned."""
        left: list[Problem] = []
        sources, folders = {listing.source for listing in found}, set(map(os.path.normpath, listings))
        for output, made in self.old.made.items():
            gone = [given.source for given in made.inputs if given.source not in sources and is_gone(given.source)]
            if output in wanted or not made.inputs or len(gone) < len(made.inputs):
                continue
            there = _hash_of(self.out / output)
            if made.found_in not in folders:
                message = f"kept, though {gone[0]} is gone: no folder given holds it; delete it if it is not wanted"
                if there is None:
                    del self.made[output]
                else:
                    left.append(Problem(Source(str(self.out / output)), message))
            elif not (self.force or self._is_ours(output, there)):
                message = f"kept, though {gone[0]} is gone: not as tagger wrote it; --force removes it"
                left.append(Problem(Source(str(self.out / output)), message))
            else:
                self.changes.append(FileChange(output, "removed", 0, tuple(tag_changes(made.records, ()))))
                del self.made[output]
        return left

    def _is_ours(self, output: str, there: str | None) -> bool:
        made = self.old.made.get(output)
        return there in (None, made and made.hash, self.old.writing.get(output))


class _Engine:
    """What turns entries into tags and text; the model is not parsed before it is needed."""

    def __init__(self, settings: BatchSettings, form: str) -> None:
        self.form = form
        self.labelled = settings.workspace if settings.use_labels else None
        self.data, self.path = read_model_bytes(model_path(settings.model, settings.workspace))
        labels = self.labelled and [_hash_of(self.labelled.labels / name) for name in ("topics.toml", "labels.csv")]
        self.hash = _hash(repr((tagger.__version__, form, DIGITS, _hash(self.data), labels)).encode())

    @cached_property
    def model(self) -> Model:
        return model_from_bytes(self.data, self.path)

    @cached_property
    def hand(self) -> HandLabels:
        return self.labelled.read_hand_labels() if self.labelled is not None else HandLabels()

    def tags(self, entries: Sequence[Entry], old: Manifest) -> dict[str, TagRecord]:
        """By hash of the content: from the manifest where it has the entry as this engine tags it, else made now."""
        known = {record.content: record for made in old.made.values() if made.made_with == self.hash for record in made.records}
        new = {content: entry for entry in entries if (content := _content(entry)) not in known}
        if new:
            results = self.model.tag(list(new.values()), self.hand.rows, self.hand.taxonomy)
            for content, result in zip(new, results, strict=True):
                topics = tuple((tag.topic.id, None if tag.score is None else round(tag.score, DIGITS)) for tag in result.tags)
                known[content] = TagRecord(result.entry.id, result.entry.title, content, topics, result.by, _note(result))
        return known

    def render(self, entries: Sequence[tuple[str, Entry]], records: Sequence[TagRecord]) -> bytes:
        """An output's bytes, from (source, entry) pairs.

        Raises:
            ListingError: if the form is a listing and cannot hold an entry.
        """
        named = {topic.id: topic for topic in (*self.model.topics, *self.hand.taxonomy.topics)}
        results = []
        for (source, entry), record in zip(entries, records, strict=True):
            tags = tuple(Tag(named.get(id, Topic(id, id)), score, record.by) for id, score in record.topics)
            # A line number would change with every entry put above it.
            shown = entry if self.form == "listing" else replace(entry, source=Source(source))
            results.append(Tagged(shown, tags, np.zeros(0), record.note, by=record.by))
        if self.form == "parquet":
            out = io.BytesIO()
            report.tagged_frame(results).to_parquet(out, engine="pyarrow", index=False)
            return out.getvalue()
        return report.format_tagged(results, self.model, self.form, digits=DIGITS).encode()


def _note(result: Tagged) -> str | None:
    """The note without its figures, which change with every retraining."""
    if result.nearest is None:
        return result.note
    return (
        "unlike the labelled entries"
        if (result.note or "").startswith("unlike")
        else f"no topic: nearest is {result.nearest.name}"
    )


def _form(settings: BatchSettings) -> str:
    """The form of the outputs.

    Raises:
        UsageError: if the combined output has a path or an ending that cannot be, or needs what is not installed.
    """
    if settings.combined is None:
        if settings.form not in ENDINGS:
            raise UsageError(f"unknown form {settings.form!r}; known: {', '.join(ENDINGS)}")
        return settings.form
    path = Path(settings.combined)
    form = COMBINED.get(path.suffix.lower())
    if path.is_absolute() or ".." in path.parts or form is None:
        raise UsageError(f"--combined {path}: expected a file's name in the output folder that ends in {', '.join(COMBINED)}")
    if form == "parquet" and find_spec("pyarrow") is None:
        raise UsageError(f"--combined {path}: needs pyarrow, which is not installed; pip install '{DISTRIBUTION}[parquet]'")
    return form


def _outputs(found: Sequence[FoundListing], out: Path, settings: BatchSettings, form: str) -> dict[str, Sequence[FoundListing]]:
    """The listings of each output.

    Raises:
        UsageError: if two listings have the same output, or an output is a listing.
    """
    wanted: dict[str, Sequence[FoundListing]] = {}
    if settings.combined is not None:
        wanted[Path(settings.combined).as_posix()] = found
    else:
        for listing in found:
            output = listing.stem + ENDINGS[form]
            if output in wanted:
                one, other = wanted[output][0].source, listing.source
                what = "rename one" + ", or give the folder that holds both" * (Path(one).parent != Path(other).parent)
                raise UsageError(f"{one} and {other} would both be written to {out / output}; {what}")
            wanted[output] = (listing,)
    listings = {listing.path.resolve(): listing.source for listing in found}
    for output in wanted:
        if (source := listings.get((out / output).resolve())) is not None:
            raise UsageError(f"{source} would be replaced by its own tags; give another output folder")
    return wanted


def _is_current(
    path: Path, made: OutputRecord | None, sources: Sequence[FoundListing], made_with: str, year: int | None
) -> bool:
    return (
        made is not None
        and made.made_with == made_with
        and [given.source for given in made.inputs] == [source.source for source in sources]
        and all(year in (None, given.year) for given in made.inputs)
        and all(_hash_of(source.path) == given.hash for source, given in zip(sources, made.inputs, strict=True))
        and _hash_of(path) == made.hash
    )


def _found_in(sources: Sequence[FoundListing], settings: BatchSettings) -> str | None:
    return sources[0].found_in if settings.combined is None else None


def _read_all(
    sources: Sequence[FoundListing], years: Mapping[str, int], n_jobs: int, progress: Callable[[int, int], None]
) -> dict[str, tuple[str, Listing]]:
    """By source, the hash of a listing's bytes and what is in it."""
    calls = [(source.path, source.source, years[source.source]) for source in sources]
    if n_jobs > 1 and len(calls) > 1:
        from joblib import Parallel, delayed

        results = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_read)(*call) for call in calls)
    else:
        results = (_read(*call) for call in calls)
    found = {}
    for n, (source, result) in enumerate(zip(sources, results, strict=True), 1):
        found[source.source] = result
        progress(n, len(calls))
    return found


def _read(path: Path, source: str, year: int) -> tuple[str, Listing]:
    try:
        data = path.read_bytes()
        return _hash(data), read_entries(decode_text(data, source), source, year)
    except OSError as error:
        return "", Listing(problems=(Problem(Source(source), f"cannot be read: {error.strerror}"),))
    except ListingError as error:
        return "", Listing(problems=error.problems)


def _error(problems: list[Problem], edited: list[Problem], keep_going: bool) -> TaggerError | None:
    if not problems and not edited:
        return None
    n_files = len({problem.source.path for problem in (*problems, *edited)})
    message = f"{n_files} {'file' if n_files == 1 else 'files'} to look at, as named above"
    if not keep_going:
        message += "; nothing was written, --keep-going leaves these alone and does the others"
    return (ListingError if problems else OutputError)(message, [*problems, *edited])


def _content(entry: Entry) -> str:
    return blake2b(f"{entry.title}\n{entry.abstract}".encode(), digest_size=8).hexdigest()


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _hash_of(path: Path) -> str | None:
    """The hash of a file's bytes; None where there is no file, "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""
