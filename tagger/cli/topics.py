"""What topics there are."""

from __future__ import annotations

from tagger import report
from tagger.cli.options import Format, FormatOption, ModelOption, OutputOption, WorkspaceOption, format_for
from tagger.cli.output import emit
from tagger.labels import read_labels
from tagger.workspace import find_workspace, load_model


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
    emit(report.topics(tagger, labels, form), output)
