"""The listings of a batch, read, in several processes if need be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.batch.discovery import FoundListing
from tagger.errors import ListingError, Problem
from tagger.formats.listing import Listing
from tagger.formats.registry import decode_text, read_entries
from tagger.source import Source
from tagger.stamp import hash_bytes

__all__ = ["ReadListing", "read_found_listings"]


@dataclass(frozen=True, slots=True)
class ReadListing:
    """What is in a listing, and the hash of its bytes; an empty hash where it could not be read."""

    hash: str
    listing: Listing


def read_found_listings(
    listings: Sequence[FoundListing],
    years: Mapping[str, int],
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, ReadListing]:
    """By source, what is in each listing.

    Args:
        listings: what to read.
        years: by source, the year of dates without one.
        n_jobs: how many processes read; the result is the same for any number.
        progress: called with (listings read, listings to read).
    """
    # A process that joblib uses again keeps the current folder that it was started in.
    arguments = [(listing.path.absolute(), listing.source, years[listing.source]) for listing in listings]
    if n_jobs > 1 and len(arguments) > 1:
        from joblib import Parallel, delayed

        results = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_read)(*each) for each in arguments)
    else:
        results = (_read(*each) for each in arguments)
    readings = {}
    for n_done, (listing, reading) in enumerate(zip(listings, results, strict=True), 1):
        readings[listing.source] = reading
        progress(n_done, len(arguments))
    return readings


def _read(path: Path, source: str, year: int) -> ReadListing:
    try:
        data = path.read_bytes()
        return ReadListing(hash_bytes(data), read_entries(decode_text(data, source), source, year))
    except OSError as error:
        problems: tuple[Problem, ...] = (Problem(Source(source), f"cannot be read: {error.strerror}"),)
    except ListingError as error:
        problems = error.problems
    return ReadListing("", Listing(problems=problems))
