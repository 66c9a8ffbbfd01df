"""What a pipeline's run found, in the forms that hosts read: annotations, a summary, JUnit, Code Quality, step outputs.

Titles and paths of listings come from whoever wrote them, so each form escapes what its reader would act on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tagger.ci.run import Run
from tagger.errors import Problem
from tagger.formats.format import WriteOptions
from tagger.formats.markdown import escape_markdown, markdown_table, write_markdown
from tagger.formats.plain_text import align_columns, strip_unprintable
from tagger.reports import figures as figures_report
from tagger.reports import page as html_report
from tagger.source import Source

__all__ = [
    "code_quality",
    "commands",
    "host",
    "junit",
    "outputs",
    "page",
    "summary",
    "text",
]


_MOST = 100  # entries in the summary, which a host cuts at a megabyte


_HEADINGS = {0: "All is well", 1: "The gate said no", 2: "Something cannot be read"}


class _Finding(NamedTuple):
    """A line to annotate. An empty path stands for the run as a whole."""

    level: str  # "error" or "warning"
    title: str
    problem: Problem


def host(environment: Mapping[str, str]) -> str:
    """The form that the environment asks for: "github", "gitlab" or "plain"."""
    return "github" if environment.get("GITHUB_ACTIONS") else "gitlab" if environment.get("GITLAB_CI") else "plain"


def text(run: Run) -> str:
    """The checks, each with the lines that it is about, then warnings and the entries that need a person."""
    rows = [[check.name, check.state, check.message] for check in run.checks]
    lines = [align_columns(rows[0], rows[1:])]
    lines += [f"{finding.problem}\n" for finding in _findings(run) if finding.problem.source.path]
    return "".join(lines)


def commands(run: Run, root: Path | None) -> str:
    """GitHub's workflow commands: an error or a warning on the line of each finding; paths as from `root`."""
    lines = []
    for level, title, problem in _findings(run):
        place = {"file": _relative(problem.source.path, root), "line": str(problem.source.line)} if problem.source.path else {}
        if not problem.source.line:
            place.pop("line", None)
        properties = ",".join(f"{key}={_property(value)}" for key, value in {**place, "title": f"tagger: {title}"}.items())
        lines.append(f"::{level} {properties}::{_data(problem.message)}\n")
    return "".join(lines)


def summary(run: Run, link: str | None = None) -> str:
    """The run in Markdown: checks, topics with intervals, new entries with their tags, entries that need a person.

    Args:
        run: what was found.
        link: where the page with pictures is, as from the summary; None if there is none to link to.
    """
    rows = [[check.name, check.state, escape_markdown(check.message)] for check in run.checks]
    parts = [f"## tagger: {_HEADINGS[run.status]}\n", markdown_table(["check", "", ""], rows)]
    where = [finding.problem for finding in _findings(run) if finding.problem.source.path and finding.problem not in run.review]
    if where:
        parts += ["### Lines to look at\n", _listed(where)]
    if run.review:
        parts += ["### Entries that need a person\n", _listed(run.review)]
    if run.tagged and run.model is not None:
        parts += [
            "### New entries, and those with other topics\n",
            write_markdown(run.tagged[:_MOST], WriteOptions()),
        ]
        if len(run.tagged) > _MOST:
            parts.append(f"{len(run.tagged) - _MOST} more are not shown.\n")
    if run.figures is not None and run.model is not None:
        shown = ("precision", "recall", "f1")
        table = figures_report.figures_text(run.figures, run.model, "markdown", shown, bars=True)
        parts += ["### Topics, by cross-validation\n", table, f"{figures_report.BARS}\n"]
    if link is not None:
        parts.append(f"[The report with pictures](<{quote(Path(link).as_posix())}>)\n")
    return "\n".join(parts)


def page(run: Run) -> str | None:
    """The page of HTML that `tagger report` makes, without a learning curve; None where no figures could be had."""
    if run.labels is None or run.model is None or run.held_out is None:
        return None
    return html_report.render_report(run.place, run.labels, run.model, run.held_out)


def junit(run: Run) -> str:
    """JUnit XML: a test case for each check."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    states = [check.state for check in run.checks]
    suite = Element(
        "testsuite",
        name="tagger ci",
        tests=str(len(states)),
        failures=str(states.count("failed")),
        errors=str(states.count("error")),
        skipped=str(states.count("skipped")),
    )
    kinds = {"failed": "failure", "error": "error", "skipped": "skipped"}
    for check in run.checks:
        case = SubElement(suite, "testcase", classname="tagger.ci", name=check.name)
        if check.state in kinds:
            found = SubElement(case, kinds[check.state], message=strip_unprintable(check.message))
            found.text = strip_unprintable("\n".join(map(str, check.problems))) or None
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def code_quality(run: Run, root: Path | None) -> str:
    """GitLab's Code Quality report: JSON, an object for each finding that stands in a file; paths as from `root`."""
    found = []
    for level, title, problem in _findings(run):
        path = _relative(problem.source.path, root)
        if path:
            fingerprint = blake2b(
                json.dumps([title, path, problem.source.line, problem.message]).encode(), digest_size=16
            ).hexdigest()
            found.append(
                {
                    "description": problem.message,
                    "check_name": f"tagger: {title}",
                    "fingerprint": fingerprint,
                    "severity": "major" if level == "error" else "minor",
                    "location": {"path": path, "lines": {"begin": max(problem.source.line, 1)}},
                }
            )
    return json.dumps(found, indent=1) + "\n"


def outputs(run: Run) -> str:
    """The outputs of a GitHub step, a line each: changed, n_tagged, needs_review, macro_f1 (empty where it has no figures)."""
    macro_f1 = run.figures.macro_f1.value if run.figures is not None else None
    values = {
        "changed": "true" if run.changes else "false",
        "n_tagged": str(len(run.tagged)),
        "needs_review": str(len(run.review)),
        "macro_f1": "" if macro_f1 is None else f"{macro_f1:.4f}",
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _findings(run: Run) -> Iterator[_Finding]:
    """Each finding once: a row of labels.csv may be why several checks failed."""
    named: set[Problem] = set()
    for check in run.checks:
        if check.state in ("failed", "error"):
            if check.state == "failed" or not check.problems:
                yield _Finding("error", check.name, Problem(Source(""), check.message))
            yield from (_Finding("error", check.name, problem) for problem in check.problems if problem not in named)
            named.update(check.problems)
    for problem in run.warnings:
        yield _Finding("warning", "look twice", problem)
    for problem in run.review:
        yield _Finding("warning", "needs a person", problem)


def _listed(problems: tuple[Problem, ...] | list[Problem]) -> str:
    lines = [f"- {escape_markdown(str(problem))}\n" for problem in problems[:_MOST]]
    return "".join(lines) + (f"- and {len(problems) - _MOST} more\n" if len(problems) > _MOST else "")


def _relative(path: str, root: Path | None) -> str:
    """A path as hosts want it: from the root of the repository, with "/"."""
    place = Path(os.path.abspath(path)) if path and root is not None else None  # noqa: PTH100 - a link is kept as it is
    if place is not None and root is not None and place.is_relative_to(root):
        return place.relative_to(root).as_posix()
    return Path(path).as_posix() if path else ""


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
