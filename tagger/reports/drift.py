"""New entries against the labelled ones, and what to label next -> text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tagger.curation.drift import TOO_LARGE_SHARE, Drift
from tagger.curation.query import USUAL_SHARE, Suggestion
from tagger.curation.stopping import StoppingAdvice
from tagger.evaluation.figures import NARROW_INTERVAL, UNDEFINED, USABLE_YES_ENTRIES, Interval
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun
from tagger.reports.figures import format_interval

__all__ = ["advice_text", "drift_text", "reason_text"]


def drift_text(drift: Drift, form: str) -> str:
    """New entries against the labelled ones, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(drift.to_json(), ensure_ascii=False, indent=1) + "\n"
    mark = escape_markdown if form == "markdown" else str
    n_topics = count_noun(len(drift.topics), "topic", "topics")
    moved = f"moved: by more than chance explains, over {n_topics} at once; it decides nothing"
    sign_header, rate_header = ["entries", "new", "share", "usual", "too many"], ["topic", "new", "rate", "labelled", "moved"]
    signs, rates = _sign_rows(drift), _rate_rows(drift)
    rates = [[mark(name), *cells] for name, *cells in rates]
    if form == "markdown":
        parts = [f"**{mark(drift.sentence)}**\n", "".join(f"- {mark(line)}\n" for line in _head_lines(drift))]
        parts.append(markdown_table(sign_header, signs))
        if rates:
            parts += [markdown_table(rate_header, rates), mark(moved) + "\n"]
    else:
        parts = [drift.sentence + "\n", "".join(line + "\n" for line in _head_lines(drift))]
        parts.append(align_columns(sign_header, signs))
        if rates:
            parts.append(align_columns(rate_header, rates) + moved + "\n")
    return "\n".join([*parts, *_suggestions_text(drift.teach, "to label first", form)])


def _head_lines(drift: Drift) -> list[str]:
    return [
        f"{count_noun(drift.n_entries, 'new entry', 'new entries')} against {drift.n_labelled} labelled"
        + _left_out_text(drift.n_left_out),
        "unknown words: " + ("-" if drift.unknown_words is None else f"{drift.unknown_words:.1%}"),
        f"mean of the best scores: {format_interval(drift.best_score)}; "
        f"of the labelled entries, which the model was fitted to: {format_interval(Interval(drift.labelled_best_score))}",
    ]


def _sign_rows(drift: Drift) -> list[list[str]]:
    signs = (("with unusually many unknown words", drift.words), ("unlike every labelled one", drift.unlike))
    limits = [f"{USUAL_SHARE:.2f}", f"{TOO_LARGE_SHARE:.2f}"]
    return [[name, str(sign.n), format_interval(sign.share), *limits] for name, sign in signs]


def _rate_rows(drift: Drift) -> list[list[str]]:
    return [
        [topic.name, str(topic.n), format_interval(topic.new), format_interval(topic.labelled), topic.moved or ""]
        for topic in drift.topics.values()
    ]


def advice_text(advice: StoppingAdvice, form: str) -> str:
    """What to label next, and whether more labels still help, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(advice.to_json(), ensure_ascii=False, indent=1) + "\n"
    mark = escape_markdown if form == "markdown" else str
    head = (
        f"{count_noun(advice.n_entries, 'entry', 'entries')} to choose from, {advice.n_labelled} labelled"
        + _left_out_text(advice.n_left_out)
        + "\n"
    )
    header = ["topic", "yes", "F1", "about more", "uncertain here"]
    rows = [
        [
            mark(topic.name),
            str(topic.n_yes),
            format_interval(topic.f1 or UNDEFINED),
            str(topic.n_more or ""),
            str(topic.n_uncertain),
        ]
        for topic in advice.topics.values()
    ]
    note = (
        f"about more: yes entries until there are {USABLE_YES_ENTRIES}, and the interval of F1 is {NARROW_INTERVAL:.2f} wide\n"
    )
    if form == "markdown":
        parts = [f"**{mark(advice.sentence)}**\n", mark(head), markdown_table(header, rows), mark(note)]
    else:
        parts = [advice.sentence + "\n", head, align_columns(header, rows) + note]
    return "\n".join([*parts, *_suggestions_text(advice.entries, "to label next", form)])


def _left_out_text(n_left_out: int) -> str:
    return f"; {n_left_out} left out: labelled already, or given twice" if n_left_out else ""


def _suggestions_text(suggestions: Sequence[Suggestion], heading: str, form: str) -> list[str]:
    """Entries worth a label, each with its reason, under a heading; nothing where there are none."""
    if not suggestions:
        return []
    rows = [[each.entry.id, each.entry.title, reason_text(each), str(each.entry.source or "")] for each in suggestions]
    if form == "markdown":
        return [markdown_table(["id", heading, "reason", "where"], [[escape_markdown(cell) for cell in row] for row in rows])]
    lines = (f"{row[0]}  " + f"\n{' ' * 10}".join(filter(None, row[1:])) + "\n" for row in rows)
    return [f"{heading}:\n" + "".join(lines)]


def reason_text(suggestion: Suggestion) -> str:
    """Why a label of an entry would teach."""
    n = suggestion.n_represented
    others = f"; stands for {n} {suggestion.reason} ones" if n > 1 else ""
    if suggestion.reason == "uncertain":
        return f"uncertain: {suggestion.topic} {suggestion.score:.2f}, threshold {suggestion.threshold:.2f}{others}"
    if suggestion.nearest is None:
        return f"unlike: shares no word with any labelled entry{others}"
    return f"unlike: nearest labelled is {suggestion.nearest.title!r}, likeness {suggestion.similarity:.2f}{others}"
