"""The topics of a model and of its labels as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns
from tagger.model.model import Model
from tagger.reports.figures import frame_text
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    from tagger.labels.dataset import Labels

__all__ = ["ListedTopic", "list_topics", "topics_text"]

_RARE = ("parent", "excludes", "precision")  # columns that most lists of topics do not need


@dataclass(frozen=True, slots=True)
class ListedTopic:
    """A topic, with what is known of it."""

    topic: Topic
    threshold: float | None  # None where the model has not learned the topic
    n_yes: int | None = None  # labelled entries; None without labels
    n_unsure: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The topic as JSON has it; without labels it has no counts."""
        topic = self.topic
        counts = {} if self.n_yes is None else {"yes": self.n_yes, "unsure": self.n_unsure}
        return {
            "id": topic.id,
            "name": topic.name,
            "parent": topic.parent,
            "excludes": list(topic.excludes),
            "precision": topic.precision,
            **counts,
            "threshold": self.threshold,
            "definition": topic.definition,
        }


def list_topics(model: Model, topics: Sequence[Topic] = ()) -> list[ListedTopic]:
    """Some topics, then the others of a model, without counts."""
    all_topics = {topic.id: topic for topic in (*topics, *model.topics)}
    thresholds = {id: model.threshold_of(id) for id in all_topics}
    return [
        ListedTopic(topic, None if (threshold := thresholds[id]) is None else round(threshold, 4))
        for id, topic in all_topics.items()
    ]


def _count_labels(rows: Sequence[ListedTopic], labels: Labels) -> list[ListedTopic]:
    """Topics with their numbers of labels."""
    yes, labelled = labels.arrays()
    n_yes = dict(zip(labels.taxonomy.ids, yes.sum(0).tolist(), strict=True))
    n_unsure = dict(zip(labels.taxonomy.ids, (~labelled).sum(0).tolist(), strict=True))
    return [ListedTopic(row.topic, row.threshold, n_yes.get(row.topic.id, 0), n_unsure.get(row.topic.id, 0)) for row in rows]


def topics_text(model: Model, labels: Labels | None, form: str) -> str:
    """The topics in one of the forms table, jsonl, csv, markdown; with counts where there are labels.

    A topic of the labels that the model does not have yet is listed without a threshold.
    """
    rows = list_topics(model) if labels is None else _count_labels(list_topics(model, labels.topics), labels)
    records = [row.to_json() for row in rows]
    for record in records:
        record["excludes"] = ";".join(record["excludes"]) or None
    if form in ("csv", "jsonl"):
        import pandas as pd

        return frame_text(pd.DataFrame(records), form)
    used = {key for record in records for key, value in record.items() if value}
    header = [key for key in records[0] if key in used or key not in _RARE] if records else []
    cells = [[_cell_text(record[key]) for key in header] for record in records]
    if form == "markdown":
        return markdown_table(header, [[escape_markdown(cell) for cell in row] for row in cells])
    return align_columns(header, cells)


def _cell_text(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
