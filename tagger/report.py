"""Results -> text. Everything that a person or a program reads is made here; nothing here prints.

Scores are rounded to two digits where people read them and to four where programs do.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from tagger.listing import jsonl, pasted
from tagger.model import Model, Reason, Tag, Tagged
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    import pandas as pd

    from tagger.labels import Labels

__all__ = [
    "BARS",
    "OVERALL",
    "aligned",
    "card",
    "changes",
    "counted",
    "escaped",
    "figures_frame",
    "figures_text",
    "frame_text",
    "interval",
    "markdown_table",
    "printable",
    "summary",
    "tagged",
    "tagged_frame",
    "topic_rows",
    "topics",
]

_N_FOR, _N_AGAINST = 5, 2  # words shown for and against a topic
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def tagged(
    results: Sequence[Tagged],
    model: Model,
    form: str,
    explain: bool = False,
    all_scores: bool = False,
    width: int | None = None,
    digits: int = 4,
) -> str:
    """Tagged entries in one of the forms table, jsonl, csv, markdown, listing.

    Args:
        results: what `model.tag` returned.
        model: the model that tagged.
        form: the form.
        explain: add the words that spoke for and against each topic (table, jsonl, markdown).
        all_scores: add the score of every topic shown (table, jsonl, csv, markdown).
        width: columns of the terminal; None for plain text.
        digits: of the scores of tags in jsonl and csv.
    """
    if form == "jsonl":
        records = (_record(result, model, explain, all_scores, digits) for result in results)
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    if form == "csv":
        return _csv(results, model, all_scores, digits)
    if form == "listing":
        lines = {result.entry.id: _topics_line(result) for result in results}
        return pasted.write([result.entry for result in results], lines)
    if form == "markdown":
        return _markdown(results, model, explain, all_scores)
    if width is not None:
        return _terminal(results, model, explain, all_scores, width)
    return "".join(_plain(result, model, explain, all_scores) for result in results)


def summary(results: Sequence[Tagged]) -> str:
    """How many entries there were, and what became of them."""
    hand = sum(result.by == "hand" for result in results)
    none = sum(not result.tags for result in results)
    entries = counted(len(results), "entry", "entries")
    return f"{entries}: {len(results) - none} with topics, {none} without; {hand} labelled by hand"


def counted(number: int, one: str, many: str) -> str:
    """A number with the word for what it counts."""
    return f"{number} {one if number == 1 else many}"


def _said(tag: Tag) -> str:
    return "by hand" if tag.score is None else f"{tag.score:.2f}"


def _topics_line(result: Tagged) -> str:
    return "Topics: " + ("; ".join(f"{tag.topic.id} {_said(tag)}" for tag in result.tags) or "none")


def _reasons(result: Tagged, model: Model) -> list[tuple[Topic, list[Reason], list[Reason]]]:
    """For each tag of the model, and for the nearest topic where there is none: (topic, for, against)."""
    topics = [tag.topic for tag in result.tags if tag.score is not None] + ([result.nearest] if result.nearest else [])
    found = []
    for topic in topics:
        reasons = model.why(result.entry, topic.id)
        for_it = [reason for reason in reasons if reason.share > 0][:_N_FOR]
        found.append((topic, for_it, [reason for reason in reasons if reason.share < 0][:_N_AGAINST]))
    return found


def _words(reasons: Iterable[Reason]) -> str:
    return ", ".join(f"{reason.term} {reason.share:+.2f}" for reason in reasons)


def _why_lines(result: Tagged, model: Model) -> list[str]:
    return [
        f"{topic.name}: {_words(for_it) or 'no word for it'}" + (f"; against: {_words(against)}" if against else "")
        for topic, for_it, against in _reasons(result, model)
    ]


def _every_score(result: Tagged, model: Model) -> dict[str, float]:
    """By topic id, for the topics that the model has learned."""
    if result.scores is None:
        raise ValueError("these results came without the scores of all topics; tag with all_scores=True")
    return {model.topics[t].id: round(float(result.scores[t]), 4) for t in model.columns if model.thresholds[t] != float("inf")}


def _plain(result: Tagged, model: Model, explain: bool, all_scores: bool) -> str:
    lines = [f"{result.entry.id}  {result.entry.title}"]
    if result.tags:
        lines.append(", ".join(f"{tag.topic.name} {_said(tag)}" for tag in result.tags))
    if result.note:
        lines.append(result.note)
    if explain:
        lines += ["why " + line for line in _why_lines(result, model)]
    if all_scores:
        lines.append("all " + ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items()))
    return f"\n{' ' * 10}".join(lines) + "\n"


def _terminal(results: Sequence[Tagged], model: Model, explain: bool, all_scores: bool, width: int) -> str:
    """A table with colours, as `rich` draws it for a terminal of this width."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, expand=False, padding=(0, 1), show_edge=False)
    table.add_column("entry", ratio=3, overflow="fold")
    table.add_column("topics", ratio=2, overflow="fold")
    for result in results:
        left = Text(result.entry.title, style="bold")
        left.append(f"  {result.entry.id}", style="dim not bold")
        right = Text()
        for tag in result.tags:
            right.append(f"{tag.topic.name} ", style="cyan")
            right.append(f"{_said(tag)}\n", style="green" if tag.by == "hand" else "default")
        if result.note:
            right.append(result.note + "\n", style="yellow")
        right.rstrip()
        table.add_row(left, right)
        if explain:
            for line in _why_lines(result, model):
                name, _, words = line.partition(": ")
                table.add_row(Text.assemble((f"  {name}: ", "dim cyan"), (words, "dim")), "")
        if all_scores:
            scores = ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items())
            table.add_row(Text(f"  {scores}", style="dim"), "")
        table.add_row("", "")
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    console.print(table)
    return out.getvalue()


def _record(result: Tagged, model: Model, explain: bool, all_scores: bool, digits: int) -> dict[str, Any]:
    record = jsonl.record(result.entry)
    record["topics"] = [
        {"id": tag.topic.id, "score": None if tag.score is None else round(tag.score, digits), "by": tag.by}
        for tag in result.tags
    ]
    if all_scores:
        record["scores"] = _every_score(result, model)
    if explain:
        record["why"] = {
            topic.id: [{"term": reason.term, "share": round(reason.share, 4)} for reason in (*for_it, *against)]
            for topic, for_it, against in _reasons(result, model)
        }
    record["note"] = result.note
    return record


def _csv(results: Sequence[Tagged], model: Model, all_scores: bool, digits: int) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    learned = [model.topics[t].id for t in model.columns if model.thresholds[t] != float("inf")]
    table.writerow(
        ["id", "title", "topics", "scores", "by", "note", "source"] + [f"score {id}" for id in learned if all_scores]
    )
    for result in results:
        row = [
            result.entry.id,
            result.entry.title,
            ";".join(tag.topic.id for tag in result.tags),
            ";".join("" if tag.score is None else f"{tag.score:.{digits}f}" for tag in result.tags),
            result.by,
            result.note or "",
            result.entry.source or "",
        ]
        table.writerow(row + ([f"{score:.4f}" for score in _every_score(result, model).values()] if all_scores else []))
    return out.getvalue()


def tagged_frame(results: Sequence[Tagged]) -> pd.DataFrame:
    """Tagged entries as a table: a row an entry, the topics and their scores as lists."""
    import pandas as pd

    rows = [
        {
            "id": result.entry.id,
            "title": result.entry.title,
            "date": result.entry.date and result.entry.date.isoformat(),
            "topics": [tag.topic.id for tag in result.tags],
            "scores": [tag.score for tag in result.tags],
            "by": result.by,
            "note": result.note,
            "source": result.entry.source,
        }
        for result in results
    ]
    return pd.DataFrame(rows, columns=["id", "title", "date", "topics", "scores", "by", "note", "source"])


def _markdown(results: Sequence[Tagged], model: Model, explain: bool, all_scores: bool) -> str:
    rows = []
    for result in results:
        topics = (
            ", ".join(f"{escaped(tag.topic.name)} {_said(tag)}" for tag in result.tags) or f"*{escaped(result.note or '')}*"
        )
        if result.tags and result.note:
            topics += f" (*{escaped(result.note)}*)"
        if explain:
            topics += "".join(f"<br>{escaped(line)}" for line in _why_lines(result, model))
        if all_scores:
            topics += "<br>" + ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items())
        rows.append([escaped(result.entry.title), str(result.entry.date or ""), topics])
    return markdown_table(["entry", "date", "topics"], rows)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; its cells are escaped already."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table."""
    return "".join(f"\\{c}" if c in r"\`*_[]<>|#~$" else c for c in text)


def printable(text: str) -> str:
    """Text that XML and HTML can hold: without control characters, and what else is no character."""
    return _NOT_XML.sub("", text)


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, for a fixed-width font; numbers at the right."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    right = [all(row[n][:1] in "0123456789-∞" for row in rows if len(row) > n and row[n]) for n in range(len(header))]
    return "".join(
        "  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=False)).rstrip()
        + "\n"
        for line in lines
    )


OVERALL = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "calibration_error": "calibration error",
    "first_precision": "first tag right",
}
_FIGURES = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "average precision"}


def figures_frame(figures: dict[str, Any], model: Model) -> pd.DataFrame:
    """Figures as a table: a row a topic and one for each figure over all topics; value, lower and upper as columns."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for topic, threshold in zip(model.topics, model.thresholds, strict=True):
        found = figures["topics"][topic.id]
        row: dict[str, Any] = {"topic": topic.id, "yes": found["yes"], "unsure": found["unsure"]}
        for name in _FIGURES:
            row |= dict(zip((name, f"{name} low", f"{name} high"), found[name], strict=True))
        rows.append(row | {"threshold": None if threshold == float("inf") else round(float(threshold), 4)})
    for name in OVERALL:
        value, low, high = figures[name]
        rows.append({"topic": name, "value": value, "value low": low, "value high": high})
    frame = pd.DataFrame(rows)
    return frame.astype({"yes": "Int64", "unsure": "Int64"})


def figures_text(
    figures: dict[str, Any], model: Model, form: str = "table", shown: Sequence[str] = tuple(_FIGURES), bars: bool = False
) -> str:
    """Figures in one of the forms table, jsonl, csv, markdown; markdown may have a bar for the F1 of each topic."""
    if form in ("csv", "jsonl"):
        return frame_text(figures_frame(figures, model), form)
    header = ["topic", "yes", *(_FIGURES[name] for name in shown), "threshold"]
    rows = []
    for topic, threshold in zip(model.topics, model.thresholds, strict=True):
        found = figures["topics"][topic.id]
        cut = "too few" if threshold == float("inf") else f"{threshold:.2f}"
        name = escaped(topic.name) if form == "markdown" else topic.name
        rows.append([name, str(found["yes"]), *(interval(found[name]) for name in shown), cut])
        if bars:
            rows[-1].insert(1, _bar(found["f1"]))
    if bars:
        header.insert(1, "")
    overall = [f"{label} {interval(figures[name])}" for name, label in OVERALL.items()]
    if form == "markdown":
        return markdown_table(header, rows) + "\n" + "".join(f"- {line}\n" for line in overall)
    return aligned(header, rows) + "\n" + "".join(line + "\n" for line in overall)


BARS = "The bars show F1 from 0 to 1: █ up to the lower end of its interval, ▒ from there to the upper end."
_CELLS = 20  # of a bar


def _bar(sides: Sequence[float | None]) -> str:
    """An interval from 0 to 1 as text, which hosts show that take no picture in a summary.

    >>> _bar([0.8, 0.72, 0.86])
    '`██████████████▒▒▒░░░`'
    """
    _, low, high = sides
    if low is None or high is None:
        return ""
    full, upto = round(low * _CELLS), round(high * _CELLS)
    return f"`{'█' * full}{'▒' * (upto - full)}{'░' * (_CELLS - upto)}`"


def frame_text(frame: pd.DataFrame, form: str) -> str:
    """A table of pandas as csv or jsonl."""
    if form == "csv":
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return str(frame.to_json(orient="records", lines=True, force_ascii=False))


def interval(sides: Sequence[float | None]) -> str:
    """A figure with its interval.

    >>> interval([0.9, 0.85, 0.94]), interval([None, None, None])
    ('0.90 (0.85-0.94)', '-')
    """
    value, low, high = sides
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f}-{high:.2f})"


def changes(old: dict[str, Any], new: dict[str, Any], p_worse: float, n_compared: int) -> str:
    """What retraining changed against the model that was there: topics that moved, and whether chance explains it."""
    lines = [
        f"against the model that was there, over {counted(n_compared, 'entry', 'entries')} "
        f"(chance of a loss like this if they were equal: p = {p_worse:.2f}):"
    ]
    lines += [
        f"  {OVERALL[name]} {old[name][0]:.3f} -> {new[name][0]:.3f} ({new[name][0] - old[name][0]:+.3f})"
        for name in ("micro_f1", "macro_f1")
        if old[name][0] is not None and new[name][0] is not None
    ]
    moved: list[tuple[float, str]] = []
    for id, found in new["topics"].items():
        before, after = old["topics"].get(id, {"f1": [None]})["f1"][0], found["f1"][0]
        if before is not None and after is not None and abs(after - before) >= 0.005:
            moved.append((abs(after - before), f"  {id} F1 {before:.3f} -> {after:.3f} ({after - before:+.3f})"))
    lines += [line for _, line in sorted(moved, key=lambda pair: (-pair[0], pair[1]))]
    return "\n".join(lines) + "\n"


def topics(model: Model, labels: Labels | None, form: str) -> str:
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
        return markdown_table(header, [[escaped(cell) for cell in line] for line in cells])
    return aligned(header, cells)


def topic_rows(
    model: Model, known: Sequence[Topic] = (), counts: Mapping[str, tuple[int, int]] | None = None
) -> list[dict[str, Any]]:
    """The topics known, then the others of the model, as dicts; `threshold` is None for one that is not learned.

    With counts, by topic id, each has its numbers of `yes` and `unsure`.
    """
    cuts = dict(zip((topic.id for topic in model.topics), model.thresholds.tolist(), strict=True))
    listed = {topic.id: topic for topic in (*known, *model.topics)}
    rows: list[dict[str, Any]] = []
    for id, topic in listed.items():
        cut = cuts.get(id)
        row: dict[str, Any] = {"id": id, "name": topic.name, "parent": topic.parent}
        row |= {"excludes": list(topic.excludes), "precision": topic.precision}
        if counts is not None:
            row["yes"], row["unsure"] = counts.get(id, (0, 0))
        row["threshold"] = None if cut is None or cut == float("inf") else round(cut, 4)
        rows.append(row | {"definition": topic.definition})
    return rows


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def lacking(model: Model) -> list[str]:
    """What to say of each topic whose labels do not support the precision that labels/topics.toml asks for."""
    names = {topic.id: topic.name for topic in model.topics}
    lines = []
    for id, found in model.about.get("precision", {}).items():
        if found["more"] == 0:
            continue
        n_yes = model.about["figures"]["topics"][id]["yes"]
        more = (
            f"at least about {found['more']} more yes {'entry' if found['more'] == 1 else 'entries'} like these would do"
            if found["more"] is not None
            else "more of the same would not do: look at what is tagged wrongly ('tagger audit') and at its definition"
        )
        lines.append(
            f"{names[id]}: {n_yes} yes entries do not support a precision of {found['goal']:g}, {found['bound']:.3f} at most; "
            f"its threshold is the one for that; {more}"
        )
    return lines


def _precise(model: Model) -> str:
    """The part of the card on precisions that were asked for."""
    asked = model.about.get("precision", {})
    if not asked:
        return ""
    names = {topic.id: topic.name for topic in model.topics}
    rows = [
        [
            escaped(names[id]),
            f"{found['goal']:g}",
            f"{found['bound']:.3f}",
            f"{found['right']} of {found['tags']}",
            {0: "", None: "more of the same would not do"}.get(found["more"], f"at least about {found['more']}"),
        ]
        for id, found in asked.items()
    ]
    return (
        "\n## Precision asked for\n\n"
        "The threshold of these topics is the lowest one whose out-of-fold precision has a lower 95% bound at or above the "
        "goal; where there is none, the one with the highest bound.\n\n"
        + markdown_table(["topic", "goal", "lower bound", "right", "yes entries lacking"], rows)
    )


def card(model: Model) -> str:
    """The model's card, in Markdown."""
    about = model.about
    few = [topic.id for topic, cut in zip(model.topics, model.thresholds, strict=True) if cut == float("inf")]
    return (
        "# The model\n\n"
        f"Trained by `tagger retrain` on the {about['n_entries']} labelled entries of `labels/` "
        f"(hash `{about['labels_hash']}`), with {len(model.hashes)} terms, "
        f"{', '.join(f'{name} {version}' for name, version in about['versions'].items())}. Do not edit: it is written "
        "with the model.\n\n"
        "## Figures\n\n"
        f"From {about['settings']['n_folds']}-fold cross-validation in which weights, calibration and thresholds of each "
        "fold come from the other folds alone; entries that resemble each other are kept in one fold; cells marked unsure "
        "count for nothing. In brackets, 95% intervals.\n\n"
        + figures_text(about["figures"], model, "markdown")
        + _precise(model)
        + "\n## Limits\n\n"
        "- It knows English words of the fields that the labels cover. An entry that is unlike them is said to be so.\n"
        "- A topic is a matter of words and word pairs: a subject that an abstract never names is missed, and one that it "
        "only mentions may be tagged.\n"
        "- The figures hold for entries like the labelled ones. `tagger evaluate` gives those of others.\n"
        + (f"- Not learned, for want of yes or of no entries: {', '.join(few)}.\n" if few else "")
    )
