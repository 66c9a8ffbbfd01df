"""What the REST API takes and gives, as pydantic models: its OpenAPI schema is made of them, and tests hold answers to them.

`tagger.reports` makes the answers themselves, as it makes those of the command line.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Entry", "ErrorAnswer", "Health", "TagAnswer", "TagOptions", "TopicsAnswer", "WhyAnswer", "WhyOptions"]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")  # a misspelt option would change nothing and tell nobody


class TagOptions(_Options):
    """Options of `POST /v1/tag`."""

    explain: bool = Field(False, description="Add the words that spoke for and against each topic.")
    all_scores: bool = Field(False, description="Add the score of every topic.")
    year: int | None = Field(
        None, ge=1, le=9999, description="Year of a listing's dates without one; by default the current year."
    )


class WhyOptions(_Options):
    """Options of `POST /v1/why`."""

    topic: list[str] = Field(
        [], description="Explain this topic; may be repeated. By default those tagged, and the two that come nearest."
    )
    similar: int = Field(5, ge=0, le=100, description="Name at most so many similar labelled entries.")
    year: int | None = Field(
        None, ge=1, le=9999, description="Year of a listing's dates without one; by default the current year."
    )


class Entry(BaseModel):
    """One paper. Only `title` is needed. Other keys than these are kept, and are in the answer too."""

    title: str = Field(description="The title; not empty.")
    authors: list[str] | None = Field(None, description="The authors' names.")
    et_al: bool | None = Field(None, description="Whether there are more authors.")
    date: str | None = Field(None, description="A date such as 2023-06-09.")
    category: str | None = Field(None, description="The category that the listing gives, such as IR.")
    code: bool | None = Field(None, description="Whether the listing says that there is code.")
    affiliation: str | None = Field(None, description="The affiliation.")
    abstract: str | None = Field(None, description="The abstract.")
    doi: str | None = Field(None, description="Its DOI.")
    arxiv: str | None = Field(None, description="Its number on arXiv.")
    pmid: str | None = Field(None, description="Its number in PubMed.")
    url: str | None = Field(None, description="Where it can be read.")
    key: str | None = Field(None, description="The id that its source gives it.")
    venue: str | None = Field(None, description="The journal or conference.")
    keywords: list[str] = Field([], description="Its keywords.")


class Tag(BaseModel):
    """A topic that an entry has."""

    id: str = Field(description="The topic's id.")
    score: float | None = Field(description="The calibrated probability that the topic applies; null where a person said so.")
    by: Literal["model", "hand"] = Field(description="Who said so.")


class Reason(BaseModel):
    """What a word, or a pair of words, did for a topic."""

    term: str
    share: float = Field(description="Its share of the score's log-odds, negative if it spoke against the topic.")


class Tagged(BaseModel):
    """An entry with its topics: an object of `tag --format jsonl`. It has all other keys of the entry that was sent, too."""

    id: str = Field(description="Eight letters and digits made from the title.")
    title: str
    authors: list[str]
    et_al: bool
    date: str | None
    category: str | None
    code: bool
    affiliation: str | None
    abstract: str
    doi: str | None = Field(None, description="Its DOI; there where the entry has it.")
    arxiv: str | None = Field(None, description="Its number on arXiv; there where the entry has it.")
    pmid: str | None = Field(None, description="Its number in PubMed; there where the entry has it.")
    url: str | None = Field(None, description="Where it can be read; there where the entry has it.")
    key: str | None = Field(None, description="The id that its source gives it; there where the entry has it.")
    venue: str | None = Field(None, description="The journal or conference; there where the entry has it.")
    keywords: list[str] = Field([], description="Its keywords; there where the entry has it.")
    source: str = Field(description="`listing:` and the line where the entry begins, or `entries:` and its number.")
    topics: list[Tag] = Field(description="Best first.")
    scores: dict[str, float] = Field({}, description="With `all_scores`: by topic id, the score.")
    why: dict[str, list[Reason]] = Field({}, description="With `explain`: by topic id, the strongest words.")
    note: str | None = Field(description="Why there is no topic, or that the entry is unlike the labelled ones.")


class Problem(BaseModel):
    """One thing that is wrong, or deserves a second look."""

    source: str = Field(description="`listing`, `entries`, `query`, or a file of labels.")
    line: int | None = Field(description="The line of a listing or file, or the number of an entry, from 1.")
    message: str = Field(description="What was found, what was wanted, and what to do.")


class TagAnswer(BaseModel):
    """Entries in the order in which they were given."""

    entries: list[Tagged]
    warnings: list[Problem] = Field(description="What the reader of listings was not sure of.")


class Place(BaseModel):
    """Where a term stands."""

    part: Literal["title", "abstract"]
    start: int = Field(description="In characters of the part as given here.")
    end: int = Field(description="After the last character.")


class Term(Reason):
    """What a word, or a pair of words, did for a topic, and where it stands."""

    places: list[Place]


class Explained(BaseModel):
    """A topic's score as a sum."""

    id: str
    name: str
    score: float
    threshold: float | None = Field(description="null where the topic is not learned.")
    tagged: bool
    implied_by: str | None = Field(description="The topic that implies this one and lends it its score.")
    gives_way_to: list[str] = Field(description="The likelier tags because of which it is not tagged, though likely enough.")
    log_odds: float | None = Field(description="The sum of the intercept and of the shares of all terms.")
    intercept: float | None
    terms: list[Term] = Field(description="Strongest first.")


class ByHand(BaseModel):
    """What a person said of an entry."""

    topics: list[str] = Field(description="Topics that apply.")
    unsure: list[str] = Field(description="Topics left open.")


class Similar(ByHand):
    """A labelled entry that is like the one explained."""

    id: str
    title: str
    likeness: float = Field(description="The cosine of TF-IDF.")


class Why(BaseModel):
    """An entry's reasons: an object of `tagger why --format json`."""

    id: str
    title: str
    abstract: str
    source: str
    by_hand: ByHand | None
    topics: list[Explained] = Field(description="Best score first.")
    similar: list[Similar] = Field(description="The most similar labelled entries, nearest first.")


WhyAnswer = list[Why]


class TopicRow(BaseModel):
    """A topic of the model, or of the labels."""

    id: str
    name: str
    definition: str
    parent: str | None = Field(description="The topic that this one implies.")
    excludes: list[str] = Field(description="The topics that an entry with this one cannot have.")
    precision: float | None = Field(description="The precision that the threshold is to reach, where one is asked for.")
    threshold: float | None = Field(description="The score from which the topic is tagged; null where it is not learned.")
    learned: bool = Field(description="Whether the model can tag it.")


class TopicsAnswer(BaseModel):
    """The topics of the labels in their order, then the others of the model."""

    topics: list[TopicRow]


class Health(BaseModel):
    """What answers."""

    ok: Literal[True]
    version: str = Field(description="The version of tagger.")
    model: str = Field(description="A hash of the model file: what `b2sum -l 128` of it gives.")
    topics: int = Field(description="The number of topics that the model has.")


class ErrorBody(BaseModel):
    """What is wrong, each problem with its place."""

    problems: list[Problem]
    message: str = Field(description="What was found, what was wanted, and what to do.")


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    error: ErrorBody
