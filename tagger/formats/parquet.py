"""Parquet: tagged entries as a table with types, for pandas and its like. It needs pyarrow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tagger.formats.csv_table import optional_columns
from tagger.formats.format import BinaryFormat, Requirement, WriteOptions
from tagger.tags import Tagged

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PARQUET", "build_frame", "write_parquet"]

_COLUMNS = ("id", "title", "date", "topics", "scores", "by", "note", "source")


def write_parquet(results: Sequence[Tagged], options: WriteOptions) -> bytes:  # noqa: ARG001 - nothing to choose
    """Tagged entries as a Parquet file, a row an entry."""
    out = io.BytesIO()
    build_frame(results).to_parquet(out, engine="pyarrow", index=False)
    return out.getvalue()


def build_frame(results: Sequence[Tagged]) -> pd.DataFrame:
    """Tagged entries as a table, a row an entry; topics, their scores and keywords are lists.

    A column such as `doi` is there where an entry has one.
    """
    import pandas as pd

    optional = optional_columns(result.entry for result in results)
    rows = [
        {
            "id": result.entry.id,
            "title": result.entry.title,
            "date": result.entry.date and result.entry.date.isoformat(),
            "topics": [tag.topic.id for tag in result.tags],
            "scores": [tag.score for tag in result.tags],
            "by": result.by,
            "note": result.note,
            "source": result.entry.source and str(result.entry.source),
        }
        | {name: list(result.entry.keywords) if name == "keywords" else getattr(result.entry, name) for name in optional}
        for result in results
    ]
    return pd.DataFrame(rows, columns=[*_COLUMNS, *optional])


PARQUET = BinaryFormat(
    name="parquet",
    title="Parquet",
    ending=".parquet",
    endings=(".parquet",),
    media_types=("application/vnd.apache.parquet",),
    encode=write_parquet,
    names_listings=True,
    shows_scores=False,
    shows_reasons=False,
    needs=Requirement("pyarrow", "parquet"),
)
