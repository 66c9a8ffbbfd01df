"""How the tags, scores and reasons of an entry read to a person. All forms that people read share these words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagger.formats.plain_text import count_noun
from tagger.tags import Reason, Tag, Tagged, TopicScores

__all__ = ["describe_reasons", "describe_score", "describe_scores", "describe_tags", "require_scores", "summarize_tags"]


def describe_score(tag: Tag) -> str:
    """The score of a tag, or that a person gave it."""
    return "by hand" if tag.score is None else f"{tag.score:.2f}"


def describe_tags(tags: Iterable[Tag]) -> str:
    """The names of topics with their scores, as in `CTR prediction 0.91, RAG by hand`."""
    return ", ".join(f"{tag.topic.name} {describe_score(tag)}" for tag in tags)


def describe_reasons(result: Tagged) -> list[str]:
    """A line for each topic with reasons, as in `CTR prediction: click +1.20, ad +0.41; against: code -0.30`."""
    return [
        f"{reasons.topic.name}: {_describe_terms(reasons.supporting) or 'no word for it'}"
        + (f"; against: {_describe_terms(reasons.opposing)}" if reasons.opposing else "")
        for reasons in result.why or ()
    ]


def describe_scores(result: Tagged) -> str:
    """The scores of all topics, as in `ctr 0.91, llm 0.04`."""
    return ", ".join(f"{id} {round(score, 4):.2f}" for id, score in require_scores(result).by_id().items())


def require_scores(result: Tagged) -> TopicScores:
    """The scores of all topics.

    Raises:
        ValueError: if the entry was tagged without them.
    """
    if result.scores is None:
        raise ValueError("these results came without the scores of all topics; tag with all_scores=True")
    return result.scores


def summarize_tags(results: Sequence[Tagged]) -> str:
    """How many entries there are, with and without topics."""
    n_by_hand = sum(result.by == "hand" for result in results)
    n_without = sum(not result.tags for result in results)
    entries = count_noun(len(results), "entry", "entries")
    return f"{entries}: {len(results) - n_without} with topics, {n_without} without; {n_by_hand} labelled by hand"


def _describe_terms(reasons: Iterable[Reason]) -> str:
    return ", ".join(f"{reason.term} {reason.share:+.2f}" for reason in reasons)
