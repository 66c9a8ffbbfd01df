"""How a run looks to each host: GitHub's annotations, summary and step outputs, GitLab's Code Quality, JUnit, plain text.

Titles and paths of listings come from whoever wrote them, so each form escapes what its reader would act on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from tagger.ci.run import Run
from tagger.errors import Problem
from tagger.formats.format import WriteOptions
from tagger.formats.markdown import escape_markdown, markdown_table, write_markdown
from tagger.formats.plain_text import align_columns
from tagger.reports import figures as figures_report
from tagger.reports import page as html_report
from tagger.reports.markup_text import strip_unprintable
from tagger.source import Source

__all__ = [
    "checks_text",
    "detect_host",
    "github_annotations",
    "github_outputs",
    "gitlab_code_quality",
    "junit_xml",
    "report_page",
    "summary_markdown",
]

_MAX_ENTRIES = 100  # in the summary, which a host cuts at a megabyte
_HEADINGS = {0: "All is well", 1: "The gate said no", 2: "Something cannot be read"}


class _Finding(NamedTuple):
    """Something to annotate. A source without a path stands for the run as a whole."""

    level: str  # "error" or "warning"
    title: str
    problem: Problem


def detect_host(environment: Mapping[str, str]) -> str:
    """The host that a run is on, by its environment: "github", "gitlab", or "plain" for any other."""
    return "github" if environment.get("GITHUB_ACTIONS") else "gitlab" if environment.get("GITLAB_CI") else "plain"


def checks_text(run: Run) -> str:
    """The checks; then the lines that they are about, the warnings, and the entries that a person should look at."""
    rows = [[check.name, check.state, check.message] for check in run.checks]
    lines = [align_columns(rows[0], rows[1:])]
    lines += [f"{finding.problem}\n" for finding in _list_findings(run) if finding.problem.source.path]
    return "".join(lines)


def github_annotations(run: Run, root: Path | None) -> str:
    """GitHub's workflow commands: an error or a warning on the line of each finding.

    Args:
        run: what was found.
        root: of the repository, from which paths are named; None to name them as they are.
    """
    lines = []
    for level, title, problem in _list_findings(run):
        place = {"file": _relative_path(problem.source.path, root)} if problem.source.path else {}
        if problem.source.path and problem.source.line:
            place["line"] = str(problem.source.line)
        properties = {**place, "title": f"tagger: {title}"}
        escaped = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
        lines.append(f"::{level} {escaped}::{_escape_data(problem.message)}\n")
    return "".join(lines)


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def github_outputs(run: Run) -> str:
    """The outputs of a GitHub step, a line each: changed, n_tagged, needs_review, macro_f1 (empty where it has no figures)."""
    macro_f1 = run.figures.macro_f1.value if run.figures is not None else None
    values = {
        "changed": "true" if run.changes else "false",
        "n_tagged": str(len(run.tagged)),
        "needs_review": str(len(run.review)),
        "macro_f1": "" if macro_f1 is None else f"{macro_f1:.4f}",
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def summary_markdown(run: Run, link: str | None = None) -> str:
    """The run in Markdown: checks, lines to look at, entries for a person, new entries with their tags, topics with intervals.

    Args:
        run: what was found.
        link: where the page with pictures is, as from the summary; None for none.
    """
    rows = [[check.name, check.state, escape_markdown(check.message)] for check in run.checks]
    parts = [f"## tagger: {_HEADINGS[run.status]}\n", markdown_table(["check", "", ""], rows)]
    problems = [finding.problem for finding in _list_findings(run) if finding.problem.source.path]
    lines_to_look_at = [problem for problem in problems if problem not in run.review]
    if lines_to_look_at:
        parts += ["### Lines to look at\n", _problem_list(lines_to_look_at)]
    if run.review:
        parts += ["### Entries that need a person\n", _problem_list(run.review)]
    if run.tagged and run.model is not None:
        tagged = write_markdown(run.tagged[:_MAX_ENTRIES], WriteOptions())
        parts += ["### New entries, and those with other topics\n", tagged]
        if len(run.tagged) > _MAX_ENTRIES:
            parts.append(f"{len(run.tagged) - _MAX_ENTRIES} more are not shown.\n")
    if run.figures is not None and run.model is not None:
        shown = ("precision", "recall", "f1")
        table = figures_report.figures_text(run.figures, run.model, "markdown", shown, bars=True)
        parts += ["### Topics, by cross-validation\n", table, f"{figures_report.BARS}\n"]
    if link is not None:
        parts.append(f"[The report with pictures](<{quote(Path(link).as_posix())}>)\n")
    return "\n".join(parts)


def _problem_list(problems: Sequence[Problem]) -> str:
    lines = [f"- {escape_markdown(str(problem))}\n" for problem in problems[:_MAX_ENTRIES]]
    n_more = len(problems) - _MAX_ENTRIES
    return "".join(lines) + (f"- and {n_more} more\n" if n_more > 0 else "")


def report_page(run: Run) -> str | None:
    """The page of HTML that `tagger report` makes, without a learning curve; None where there are no figures."""
    if run.labels is None or run.model is None or run.out_of_fold is None:
        return None
    return html_report.render_report(run.workspace, run.labels, run.model, run.out_of_fold)


def junit_xml(run: Run) -> str:
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
    tags = {"failed": "failure", "error": "error", "skipped": "skipped"}
    for check in run.checks:
        case = SubElement(suite, "testcase", classname="tagger.ci", name=check.name)
        if check.state in tags:
            result = SubElement(case, tags[check.state], message=strip_unprintable(check.message))
            result.text = strip_unprintable("\n".join(map(str, check.problems))) or None
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def gitlab_code_quality(run: Run, root: Path | None) -> str:
    """GitLab's Code Quality report: JSON with an object for each finding that stands in a file.

    Args:
        run: what was found.
        root: of the repository, from which paths are named; None to name them as they are.
    """
    findings = [_code_quality_object(finding, root) for finding in _list_findings(run) if finding.problem.source.path]
    return json.dumps(findings, indent=1) + "\n"


def _code_quality_object(finding: _Finding, root: Path | None) -> dict[str, Any]:
    source, message = finding.problem.source, finding.problem.message
    path = _relative_path(source.path, root)
    identity = json.dumps([finding.title, path, source.line, message]).encode()
    return {
        "description": message,
        "check_name": f"tagger: {finding.title}",
        "fingerprint": blake2b(identity, digest_size=16).hexdigest(),
        "severity": "major" if finding.level == "error" else "minor",
        "location": {"path": path, "lines": {"begin": max(source.line, 1)}},
    }


def _list_findings(run: Run) -> Iterator[_Finding]:
    """Each finding once: one row of labels.csv may be the reason why several checks failed."""
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


def _relative_path(path: str, root: Path | None) -> str:
    """A path as hosts want it: from the root of the repository, with "/"."""
    absolute = Path(os.path.abspath(path)) if path and root is not None else None  # noqa: PTH100 - a link is kept as it is
    if absolute is not None and root is not None and absolute.is_relative_to(root):
        return absolute.relative_to(root).as_posix()
    return Path(path).as_posix() if path else ""
