"""The model's card, and what its labels do not support."""

from __future__ import annotations

from tagger.evaluation.figures import require_figures
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import count_noun
from tagger.model.model import Model
from tagger.reports.figures import figures_text

__all__ = ["describe_missed_goals", "model_card"]


def describe_missed_goals(model: Model) -> list[str]:
    """A sentence for each topic whose labels do not support the precision that labels/topics.toml asks for.

    Raises:
        ModelError: if there is such a topic, and the model has no figures.
    """
    names = {topic.id: topic.name for topic in model.topics}
    lines = []
    for id, support in model.training.precision.items():
        if support.is_supported:
            continue
        n_yes = require_figures(model).topics[id].n_yes
        more = (
            f"at least about {count_noun(support.n_lacking, 'more yes entry', 'more yes entries')} like these would do"
            if support.n_lacking is not None
            else "more of the same would not do: look at what is tagged wrongly ('tagger audit') and at its definition"
        )
        lines.append(
            f"{names[id]}: {n_yes} yes entries do not support a precision of {support.goal:g}, "
            f"{support.lower_bound:.3f} at most; its threshold is the one for that; {more}"
        )
    return lines


def _precision_section(model: Model) -> str:
    """The part of the card on the precisions that labels/topics.toml asks for; empty where it asks for none."""
    if not model.training.precision:
        return ""
    names = {topic.id: topic.name for topic in model.topics}
    rows = [
        [
            escape_markdown(names[id]),
            f"{support.goal:g}",
            f"{support.lower_bound:.3f}",
            f"{support.n_right} of {support.n_tags}",
            {0: "", None: "more of the same would not do"}.get(support.n_lacking, f"at least about {support.n_lacking}"),
        ]
        for id, support in model.training.precision.items()
    ]
    return (
        "\n## Precision asked for\n\n"
        "The threshold of these topics is the lowest one whose out-of-fold precision has a lower 95% bound at or above the "
        "goal; where there is none, the one with the highest bound.\n\n"
        + markdown_table(["topic", "goal", "lower bound", "right", "yes entries lacking"], rows)
    )


def model_card(model: Model) -> str:
    """The model's card, in Markdown.

    Raises:
        ModelError: if the model has no figures.
    """
    training = model.training
    not_learned = [topic.id for topic in model.topics if not model.is_learned(topic.id)]
    return (
        "# The model\n\n"
        f"Trained by `tagger retrain` on the {training.n_entries} labelled entries of `labels/` "
        f"(hash `{training.labels_hash}`), with {len(model.hashes)} terms, "
        f"{', '.join(f'{name} {version}' for name, version in training.versions.items())}. Do not edit: it is written "
        "with the model.\n\n"
        "## Figures\n\n"
        f"From {training.settings['n_folds']}-fold cross-validation in which weights, calibration and thresholds of each "
        "fold come from the other folds alone; entries that resemble each other are kept in one fold; cells marked unsure "
        "count for nothing. In brackets, 95% intervals.\n\n"
        + figures_text(require_figures(model), model, "markdown")
        + _precision_section(model)
        + "\n## Limits\n\n"
        "- It knows English words of the fields that the labels cover. An entry that is unlike them is said to be so.\n"
        "- A topic is a matter of words and word pairs: a subject that an abstract never names is missed, and one that it "
        "only mentions may be tagged.\n"
        "- The figures hold for entries like the labelled ones. `tagger evaluate` gives those of others.\n"
        + (f"- Not learned, for want of yes or of no entries: {', '.join(not_learned)}.\n" if not_learned else "")
    )
