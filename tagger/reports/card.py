"""The model's card, and what its labels do not support."""

from __future__ import annotations

from tagger.evaluation.figures import require_figures
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.model.model import Model
from tagger.reports.figures import figures_text

__all__ = [
    "model_card",
]


def describe_missed_goals(model: Model) -> list[str]:
    """What to say of each topic whose labels do not support the precision that labels/topics.toml asks for."""
    names = {topic.id: topic.name for topic in model.topics}
    lines = []
    for id, found in model.about.get("precision", {}).items():
        if found["more"] == 0:
            continue
        n_yes = require_figures(model).topics[id].n_yes
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
            escape_markdown(names[id]),
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


def model_card(model: Model) -> str:
    """The model's card, in Markdown."""
    about = model.about
    few = [topic.id for topic in model.topics if not model.is_learned(topic.id)]
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
        + figures_text(require_figures(model), model, "markdown")
        + _precise(model)
        + "\n## Limits\n\n"
        "- It knows English words of the fields that the labels cover. An entry that is unlike them is said to be so.\n"
        "- A topic is a matter of words and word pairs: a subject that an abstract never names is missed, and one that it "
        "only mentions may be tagged.\n"
        "- The figures hold for entries like the labelled ones. `tagger evaluate` gives those of others.\n"
        + (f"- Not learned, for want of yes or of no entries: {', '.join(few)}.\n" if few else "")
    )
