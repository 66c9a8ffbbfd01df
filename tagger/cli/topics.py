"""What topics there are."""

from __future__ import annotations

from tagger.cli.options import Format, FormatOption, ModelOption, OutputOption, WorkspaceOption, format_for
from tagger.cli.output import emit
from tagger.labels.dataset import read_labels
from tagger.reports import topics as topics_report
from tagger.workspace.workspace import find_workspace, load_model


def topics(
    format: FormatOption = None,
    output: OutputOption = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """The topics, with counts and thresholds."""
    form = format_for(format, output, allowed=(Format.table, Format.jsonl, Format.csv, Format.markdown))
    place = find_workspace(workspace)
    tagger = load_model(model, place)
    labels = read_labels(place.labels) if place is not None else None
    emit(topics_report.topics_text(tagger, labels, form), output)
