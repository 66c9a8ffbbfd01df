"""Which labels are doubted, and which of them a person has reviewed since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.labels.reviewed import AuditAnswer, apply_answers
from tagger.labels.table import LabelRow

__all__ = ["DoubtedLabel", "DoubtedLabels"]


@dataclass(frozen=True, slots=True)
class DoubtedLabel:
    """A label that is contradicted by the score of a model that was trained without its entry."""

    id: str  # of the entry
    topic: str
    label: str  # "yes" or "no"
    score: float  # out-of-fold

    @property
    def distance(self) -> float:
        """How far the score is from the label, 0 to 1."""
        return abs(self.score - (self.label == "yes"))


class DoubtedLabels:
    """The doubted labels of a folder labels/. Its file confirmed.csv remembers which of them were reviewed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_entry: dict[str, list[DoubtedLabel]] = {}
        self._reviewed: set[DoubtedLabel] = set()

    def replace(self, doubted: Iterable[DoubtedLabel]) -> None:
        """Take these labels for the doubted ones from now on."""
        by_entry: dict[str, list[DoubtedLabel]] = {}
        for label in doubted:
            by_entry.setdefault(label.id, []).append(label)
        self._by_entry, self._reviewed = by_entry, set()

    def to_review(self, id: str, row: LabelRow | None) -> list[DoubtedLabel]:
        """The doubted labels of an entry that nobody reviewed. A label that was changed since is not doubted any more.

        Args:
            id: the entry.
            row: its labels; None for none.
        """
        if row is None:
            return []
        return [
            doubted
            for doubted in self._by_entry.get(id, ())
            if doubted not in self._reviewed and row.label_of(doubted.topic) == doubted.label
        ]

    def confirm(self, doubted: Sequence[DoubtedLabel], row: LabelRow) -> None:
        """Remember on disk that doubted labels of an entry were reviewed, whether or not they were changed.

        Args:
            doubted: the labels, as they were doubted.
            row: what the entry's labels are now.
        """
        self._reviewed.update(doubted)
        self._apply(doubted, [_answer(row.label_of(label.topic), label.label) for label in doubted])

    def reopen(self, doubted: Sequence[DoubtedLabel]) -> None:
        """Forget on disk that doubted labels were reviewed; see `confirm`."""
        self._reviewed.difference_update(doubted)
        self._apply(doubted, ["undo"] * len(doubted))

    def _apply(self, doubted: Sequence[DoubtedLabel], answers: Sequence[str]) -> None:
        if doubted:
            pairs = zip(doubted, answers, strict=True)
            apply_answers(self._folder, [AuditAnswer(label.id, label.topic, label.label, answer) for label, answer in pairs])


def _answer(now: str, doubted: str) -> str:
    """The answer to a doubt that a label gives by being what it is now."""
    if now == "unsure":
        return "unsure"
    return "reject" if now == doubted else "accept"
