"""What topics there are."""

from __future__ import annotations

from tagger.cli.options import FormatOption, ModelOption, OutputOption, WorkspaceOption, choose_format
from tagger.cli.output import write_result
from tagger.formats.csv_table import CSV
from tagger.formats.json_lines import JSON_LINES
from tagger.formats.markdown import MARKDOWN
from tagger.formats.table import TABLE
from tagger.labels.dataset import read_labels
from tagger.reports import topics as topics_report
from tagger.workspace.workspace import find_workspace, load_model


def topics(
    format: FormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    folder: WorkspaceOption = None,
) -> None:
    """The topics, with counts and thresholds."""
    form = choose_format(format, output, allowed=(TABLE, JSON_LINES, CSV, MARKDOWN)).name
    workspace = find_workspace(folder)
    tagger = load_model(model, workspace)
    labels = read_labels(workspace.labels) if workspace is not None else None
    write_result(topics_report.topics_text(tagger, labels, form), output)
