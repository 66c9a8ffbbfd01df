"""The topics of a model as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns
from tagger.model.model import Model
from tagger.reports.figures import frame_text
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    from tagger.labels.dataset import Labels

__all__ = [
    "topic_rows",
    "topics_text",
]


def topics_text(model: Model, labels: Labels | None, form: str) -> str:
    """The topics in one of the forms table, jsonl, csv, markdown; with counts where there are labels.

    A topic of the labels that the model does not have yet is listed without a threshold.
    """
    counts: dict[str, tuple[int, int]] | None = None
    if labels is not None:
        yes, known = labels.arrays()
        sums = zip(yes.sum(0).tolist(), (~known).sum(0).tolist(), strict=True)
        counts = dict(zip((topic.id for topic in labels.topics), sums, strict=True))
    rows = topic_rows(model, labels.topics if labels else (), counts)
    for row in rows:
        row["excludes"] = ";".join(row["excludes"]) or None
    if form in ("csv", "jsonl"):
        import pandas as pd

        return frame_text(pd.DataFrame(rows), form)
    rare = ("parent", "excludes", "precision")  # most lists of topics have none of them
    header = [key for key in rows[0] if key not in rare or any(row[key] for row in rows)] if rows else []
    cells = [[_cell(row[key]) for key in header] for row in rows]
    if form == "markdown":
        return markdown_table(header, [[escape_markdown(cell) for cell in line] for line in cells])
    return align_columns(header, cells)


def topic_rows(
    model: Model, known: Sequence[Topic] = (), counts: Mapping[str, tuple[int, int]] | None = None
) -> list[dict[str, Any]]:
    """The topics known, then the others of the model, as dicts; `threshold` is None for one that is not learned.

    With counts, by topic id, each has its numbers of `yes` and `unsure`.
    """
    listed = {topic.id: topic for topic in (*known, *model.topics)}
    rows: list[dict[str, Any]] = []
    for id, topic in listed.items():
        threshold = model.threshold_of(id)
        row: dict[str, Any] = {"id": id, "name": topic.name, "parent": topic.parent}
        row |= {"excludes": list(topic.excludes), "precision": topic.precision}
        if counts is not None:
            row["yes"], row["unsure"] = counts.get(id, (0, 0))
        row["threshold"] = None if threshold is None else round(threshold, 4)
        rows.append(row | {"definition": topic.definition})
    return rows


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
