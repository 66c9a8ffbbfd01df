"""What lies on the desk of a review: entries in a queue, what is said of them, and why. No web is known here.

A decision is on disk when `save` returns. Marks that are not saved stay with whoever made them, so that any number of pages
can work on one desk; `was`, the row that marks were made on, tells whether somebody else changed it meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from threading import RLock
from typing import Any

from tagger.curation.query import build_pool, select_batch
from tagger.curation.session import LabellingSession, Mark, Marks, marks_from_row, row_from_marks, set_mark, start_session
from tagger.entry import Entry
from tagger.errors import TaggerError, UsageError
from tagger.formats.listing import Listing
from tagger.formats.registry import read_entries, read_text
from tagger.labels.closure import find_contradictions, implied_labels
from tagger.labels.dataset import Labels
from tagger.labels.reviewed import AuditAnswer as Answer
from tagger.labels.reviewed import apply_answers, label_of
from tagger.labels.store import LabelEdit, LabelStore
from tagger.labels.table import LabelRow, read_rows
from tagger.model.explain import Precedents, explain_entries
from tagger.model.model import Model
from tagger.reports.why import mark_terms, shown_terms
from tagger.taxonomy import ancestors, incompatible_topics, read_max_topics
from tagger.workspace.workspace import Workspace

__all__ = [
    "STATES",
    "QueueFilter",
    "ReviewSession",
    "UnknownError",
    "row_json",
]


STATES = ("new", "labelled", "unsure", "doubted", "all")  # that a queue can be of


_N_SIMILAR = 5  # precedents of an entry


_N_TEACHING = 100  # entries that are chosen to be labelled first


_STRONG = (0.25, 1.0)  # shares of the log-odds from which on a word did something, and from which on much


class UnknownError(TaggerError):
    """No entry has such an id."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What to have in the queue, and in which order."""

    state: str = "all"  # one of `STATES`
    topic: str = ""  # the id of one that entries have, by their labels or else by their tags
    search: str = ""  # words, each of which is somewhere in title, authors or abstract
    order: str = "listed"  # or the name of another one of `Desk.orders`


class ReviewSession:
    """The entries of some listings and those of labels/, with a model that proposes topics.

    Raises:
        LabelsError, ListingError: if labels/ cannot be used.
    """

    def __init__(self, place: Workspace, model: Model, entries: Iterable[Entry] = ()) -> None:
        self.place, self.model = place, model
        self.name = place.folder.resolve().name
        entries = list(entries)
        self.n_given = len({entry.id for entry in entries})
        self._folder = LabelStore(place.labels)
        self._lock = RLock()
        rows, topics = place.hand()
        self._seen = self._stamp()
        max_topics = read_max_topics(place.labels / "topics.toml")
        everything = [*entries, *_texts(place.labels).all()]
        self.labelling: LabellingSession = start_session(
            everything, topics, rows, model, everything=True, max_topics=max_topics
        )
        self._n = {entry.id: n for n, entry in enumerate(self.labelling.entries)}
        self._words = [
            " ".join([entry.id, entry.title, *entry.authors, entry.abstract]).casefold() for entry in self.labelling.entries
        ]
        self._above, self._against = ancestors(topics), incompatible_topics(topics)
        self._made: list[_Made | None] = []  # what was saved, to be undone by its number
        self._doubted: dict[str, list[_Doubt]] = {}
        self._precedents: Precedents | None = None
        self.orders: dict[str, Callable[[Sequence[Entry]], Sequence[Entry]]] = {
            "listed": lambda entries: entries,
            "teaching": self._teaching,
            "doubtful": lambda entries: sorted(entries, key=lambda entry: -self._doubt(entry.id)),
        }

    @property
    def n_labelled(self) -> int:
        """How many entries have a row."""
        return self._fresh().n_labelled

    @property
    def n_entries(self) -> int:
        """How many entries there are."""
        return len(self.labelling.entries)

    def topics(self) -> list[dict[str, Any]]:
        """The topics in their order, each with its threshold, None where the model has not learned it."""
        cuts = {topic.id: float(cut) for topic, cut in zip(self.model.topics, self.model.thresholds, strict=True)}
        return [
            {
                "id": topic.id,
                "name": topic.name,
                "definition": topic.definition,
                "threshold": round(cut, 4) if (cut := cuts.get(topic.id, inf)) != inf else None,
            }
            for topic in self.labelling.topics
        ]

    def queue(self, wanted: QueueFilter) -> list[dict[str, Any]]:
        """The entries that are wanted, in brief.

        Raises:
            UsageError: if there is no such state, topic or order.
        """
        found = {brief["id"]: brief for brief in self._found(wanted) if wanted.state in _states(brief, wanted.topic)}
        ordered = self.orders[wanted.order]([self.labelling.entries[self._n[id]] for id in found])
        return [found[entry.id] for entry in ordered]

    def counts(self, wanted: QueueFilter) -> dict[str, int]:
        """By state, how many entries have the words and the topic that are wanted.

        Raises:
            UsageError: if there is no such state, topic or order.
        """
        counts = Counter(state for brief in self._found(wanted) for state in _states(brief, wanted.topic))
        return {state: counts[state] for state in STATES}

    def entry(self, id: str, topic: str = "") -> dict[str, Any]:
        """An entry with its `row`, None if it has none; for each topic its mark, and its score, None if it is not learned.

        `why` is that of the topic given, else of one whose label is doubted, else of its best tag, else of the topic that it
        comes nearest to.

        Raises:
            UnknownError: if there is no such entry.
        """
        now, n = self._fresh(), self._at(id)
        entry = now.entries[n]
        (tagged,) = self.model.tag([entry])
        top = [doubt.topic for doubt in self._open(id, now.rows.get(id))]
        top += [tag.topic.id for tag in tagged.tags] + ([tagged.nearest.id] if tagged.nearest else [])
        focus = next((known.id for id in (topic, *top) for known in now.topics if known.id == id), now.topics[0].id)
        return self._brief(now, n) | {
            "abstract": entry.abstract,
            "about": _about(entry),
            "row": row_json(now.rows.get(id)),
            "marks": [mark.value for mark in now.base(n)],
            "scores": [None if score is None else round(score, 4) for score in now.scores[n]],
            "note": tagged.note,
            "why": self.why(id, focus),
        }

    def why(self, id: str, topic: str) -> dict[str, Any]:
        """What the words of an entry did for a topic: title and abstract in pieces with -2 to 2 each, and the strongest.

        Raises:
            UnknownError: if there is no such entry.
            UsageError: if there is no such topic.
        """
        entry = self.labelling.entries[self._at(id)]
        names = {known.id: known.name for known in self.labelling.topics}
        if topic in names and topic not in {known.id for known in self.model.topics}:  # added since the model was made
            unknown = dict.fromkeys(("score", "threshold", "tagged", "implied_by"))
            pieces = {"title": [(entry.title, 0)], "abstract": [(entry.abstract, 0)]}
            return {"id": topic, "name": names[topic], **unknown, **pieces, "terms": []}
        (found,) = explain_entries(self.model, [entry], topics=[topic])
        (reasons,) = found["topics"]
        return {
            **{key: reasons[key] for key in ("id", "name", "score", "threshold", "tagged", "implied_by")},
            "title": list(mark_terms(entry.title, "title", reasons["terms"], _level)),
            "abstract": list(mark_terms(entry.abstract, "abstract", reasons["terms"], _level)),
            "terms": [[term["term"], term["share"]] for term in shown_terms(reasons["terms"])],
        }

    def similar(self, id: str) -> list[dict[str, Any]]:
        """The labelled entries most like one; see `why.Precedents`.

        Raises:
            UnknownError: if there is no such entry.
        """
        now = self._fresh()
        with self._lock:
            if self._precedents is None:
                labelled = sorted((entry for entry in now.entries if entry.id in now.rows), key=lambda entry: entry.id)
                rows = tuple(now.rows[entry.id] for entry in labelled)
                self._precedents = Precedents(self.model, Labels(now.topics, tuple(labelled), rows))
            (found,) = self._precedents.of([now.entries[self._at(id)]], _N_SIMILAR)
        return found

    def turn(self, marks: Sequence[Mark], topic: str, mark: Mark) -> Marks:
        """Marks with one changed, and those with it that follow from it.

        Raises:
            UsageError: if there is no such topic, or not a mark for each.
        """
        ids = [known.id for known in self.labelling.topics]
        if topic not in ids or len(marks) != len(ids):
            raise UsageError(f"the topics are others by now ({', '.join(ids)}); load the page anew")
        return set_mark(tuple(marks), ids.index(topic), mark, self.labelling.topics)

    def save(self, id: str, marks: Sequence[Mark], was: Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
        """Put what is said of an entry on disk.

        Args:
            id: the entry.
            marks: (n_topics,).
            was: the row that the marks were made on, as `entry` gave it; None for none.

        Returns:
            The entry in brief, its `row` and `marks`, and `undo`: the number that `undo` wants, None if nothing changed.

        Raises:
            UnknownError: if there is no such entry.
            UsageError: if there is not a mark for each topic, or they contradict each other.
            ChangedError: if the row is another one by now; nothing was changed.
            TaggerError: if it cannot be on disk.
        """
        with self._lock:
            now, n = self._fresh(), self._at(id)
            entry = now.entries[n]
            if len(marks) != len(now.topics):
                raise UsageError("the topics are others by now; load the page anew")
            title = now.rows[id].title if id in now.rows else entry.title
            before = None if was is None else LabelRow(id, title, tuple(was["topics"]), tuple(was["unsure"]))
            same = before is not None and tuple(marks) == marks_from_row(before, now.topics)
            row = before if same and before is not None else row_from_marks(entry, tuple(marks), now.topics, before)
            if not same and (wrong := find_contradictions(row, self._above, self._against, now.max_topics)):
                raise UsageError(wrong[0])
            saved = self._folder.save(LabelEdit(entry, before, row))
            doubted = self._open(id, before)
            self._keep(saved.rows)
            self._answer(id, doubted)
            if same and not doubted:
                return self._saved(n) | {"undo": None}
            self._made.append(_Made(LabelEdit(entry, row, before, saved.text), doubted))
            return self._saved(n) | {"undo": len(self._made) - 1}

    def undo(self, number: int) -> dict[str, Any]:
        """Take back what was saved under a number, on disk too.

        Raises:
            UsageError: if nothing was, or it was taken back.
            ChangedError: if somebody else changed the row since; nothing was changed.
            TaggerError: if it cannot be on disk.
        """
        with self._lock:
            made = self._made[number] if 0 <= number < len(self._made) else None
            if made is None:
                raise UsageError("nothing to undo: it was undone, or the server was started anew since")
            id = made.back.entry.id
            self._keep(self._folder.save(made.back).rows)
            self._made[number] = None
            self._answer(id, made.answered, undo=True)
            return self._saved(self._at(id))

    def doubt(self, doubted: Iterable[Mapping[str, Any]]) -> None:
        """Note which labels are doubted, as `audit.audited` tells them."""
        found: dict[str, list[_Doubt]] = {}
        for cell in doubted:
            found.setdefault(cell["id"], []).append(_Doubt(cell["topic"], cell["label"], cell["score"]))
        with self._lock:
            self._doubted = found

    def use(self, model: Model) -> None:
        """Propose with another model from now on."""
        with self._lock:
            now = self._fresh()
            self.labelling = start_session(now.entries, now.topics, now.rows, model, everything=True, max_topics=now.max_topics)
            self.model, self._precedents = model, None

    def _found(self, wanted: QueueFilter) -> list[dict[str, Any]]:
        """The entries with the words and the topic that are wanted, whatever their state, as listed."""
        for value, known in ((wanted.state, STATES), (wanted.order, self.orders), (wanted.topic, ["", *self._above])):
            if value not in known:
                raise UsageError(f"no such thing to filter by: {value!r}; known: {', '.join(filter(None, known))}")
        now, words = self._fresh(), wanted.search.casefold().split()
        briefs = (self._brief(now, n) for n, text in enumerate(self._words) if all(word in text for word in words))
        return [brief for brief in briefs if _has(brief, wanted.topic)]

    def _teaching(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """First those that `tagger next` would choose, then the others."""
        now = self.labelling
        pool = build_pool(self.model, [entry for entry in now.entries if entry.id in now.rows], entries)
        first = [pool.entries[pick.entry] for pick in select_batch(self.model, pool, _N_TEACHING)]
        ids = {entry.id for entry in first}
        return [*first, *(entry for entry in entries if entry.id not in ids)]

    def _at(self, id: str) -> int:
        if id not in self._n:
            raise UnknownError(f"no entry has the id {id!r}")
        return self._n[id]

    def _fresh(self) -> LabellingSession:
        """The state with the rows that are on disk."""
        with self._lock:
            stamp = self._stamp()
            if stamp != self._seen:
                rows = read_rows(self._folder.table) if stamp else []
                self._keep({row.id: row for row in rows})
                self._seen = stamp  # from before it was read, so that no change after that goes unseen
            return self.labelling

    def _keep(self, rows: Mapping[str, LabelRow]) -> None:
        self.labelling = replace(self.labelling, rows=rows)
        self._precedents = None

    def _stamp(self) -> tuple[int, int] | None:
        """What changes whenever labels.csv does."""
        table = self._folder.table
        return (found.st_mtime_ns, found.st_size) if table.exists() and (found := table.stat()) else None

    def _saved(self, n: int) -> dict[str, Any]:
        row = self.labelling.rows.get(self.labelling.entries[n].id)
        marks = [mark.value for mark in self.labelling.base(n)]
        return self._brief(self.labelling, n) | {"row": row_json(row), "marks": marks}

    def _brief(self, now: LabellingSession, n: int) -> dict[str, Any]:
        entry = now.entries[n]
        row = now.rows.get(entry.id)
        if row is None:
            yes = {topic.id for topic, mark in zip(now.topics, now.proposed[n], strict=True) if mark == Mark.yes}
            unsure: Collection[str] = ()
        else:
            said, unsure = implied_labels(row, self._above, self._against)
            yes = {*said}
        return {
            "id": entry.id,
            "title": entry.title,
            "labelled": row is not None,
            "topics": [topic.id for topic in now.topics if topic.id in yes],
            "unsure": [topic.id for topic in now.topics if topic.id in unsure],
            "doubts": [
                {"topic": doubt.topic, "label": doubt.label, "score": doubt.score} for doubt in self._open(entry.id, row)
            ],
        }

    def _open(self, id: str, row: LabelRow | None) -> list[_Doubt]:
        """The doubted labels of an entry that nobody looked at and that are still what they were when they were doubted."""
        if row is None:
            return []
        return [
            doubt for doubt in self._doubted.get(id, ()) if not doubt.answered and label_of(row, doubt.topic) == doubt.label
        ]

    def _doubt(self, id: str) -> float:
        """How far the most doubtful label of an entry is from its score."""
        found = self._open(id, self.labelling.rows.get(id))
        return max((abs(doubt.score - (doubt.label == "yes")) for doubt in found), default=0.0)

    def _answer(self, id: str, doubted: Sequence[_Doubt], undo: bool = False) -> None:
        """Remember on disk that doubted labels of an entry were looked at, or no longer that they were."""
        row = self.labelling.rows.get(id)
        if row is None or not doubted:
            return
        answers = []
        for doubt in doubted:
            doubt.answered = not undo
            now = label_of(row, doubt.topic)
            answer = "undo" if undo else "unsure" if now == "unsure" else "reject" if now == doubt.label else "accept"
            answers.append(Answer(id, doubt.topic, doubt.label, answer))
        apply_answers(self.place.labels, answers)


@dataclass(slots=True)
class _Doubt:
    """A label that is doubted, and whether somebody looked at it since."""

    topic: str
    label: str  # "yes" or "no"
    score: float  # out-of-fold
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """What turns a decision round, and the doubts that it answered."""

    back: LabelEdit
    answered: Sequence[_Doubt]


def _has(brief: Mapping[str, Any], topic: str) -> bool:
    """Whether an entry has a topic, or it is open whether it does; every one has no topic in particular."""
    return topic in ("", *brief["topics"], *brief["unsure"], *(doubt["topic"] for doubt in brief["doubts"]))


def _states(brief: Mapping[str, Any], topic: str) -> list[str]:
    """Those of `STATES` that an entry is in; with a topic, unsure and doubted are said of that one."""
    found = ["all", "labelled" if brief["labelled"] else "new"]
    if brief["unsure"] and topic in ("", *brief["unsure"]):
        found.append("unsure")
    if brief["doubts"] and topic in ("", *(doubt["topic"] for doubt in brief["doubts"])):
        found.append("doubted")
    return found


def _level(share: float) -> int:
    """-2 to 2: how much a word did."""
    return ((share > 0) - (share < 0)) * sum(abs(share) >= strong for strong in _STRONG)


def row_json(row: LabelRow | None) -> dict[str, list[str]] | None:
    """A row as the page has it."""
    return None if row is None else {"topics": list(row.topics), "unsure": list(row.unsure)}


def _about(entry: Entry) -> list[str]:
    """The facts of an entry in a line: date, category, authors and where it is from."""
    authors = ", ".join(entry.authors) + (" et al." if entry.et_al else "")
    date = entry.date.isoformat() if entry.date else None
    found = (entry.category, date, authors, entry.affiliation, "Code" if entry.code else None)
    return [part for part in found if part]


def _texts(folder: Path) -> Listing:
    """All entries in labels/, labelled or not, with what is wrong in their files."""
    listings = [read_entries(read_text(path), str(path), None) for path in sorted((folder / "entries").glob("*.txt"))]
    return Listing(
        tuple(entry for listing in listings for entry in listing.entries),
        tuple(problem for listing in listings for problem in listing.problems),
    )
