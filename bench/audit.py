"""How many labels that were made wrong on purpose `tagger audit` finds, beside other rankings and cleanlab's.

Of the cells of labels/ that are yes or no, 5% are drawn at random, all with the same chance, and turned round. Each ranking
names as many cells as were turned; its precision is the share of those that were. Labels that are wrong to begin with count
as mistakes of the ranking. Means over the seeds, with the 95% interval of the mean (Student's t). The precision is also given
for the cells that now say yes and those that now say no, with the share of each kind that is found.

cleanlab is optional: `pip install '.[bench]'`. It knows no unsure cells; to it they are no, and are left out of its ranking.

usage: python bench/audit.py [--seeds N] [--first N] [--share SHARE]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tagger.curation.label_errors import cross_validate_twice, label_error_log_odds
from tagger.formats.markdown import markdown_table
from tagger.labels.dataset import Labels, read_labels
from tagger.model.log_odds import logit
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import entry_text
from tagger.text.similarity import nearest_rows, tfidf_rows
from tagger.training.settings import Settings
from tagger.training.trainer import train

ROOT = Path(__file__).parent.parent
NEIGHBOURS = 20


def votes(labels: Labels, model: Any, yes: Any, known: Any) -> Any:
    """The share of yes among the nearest other entries, weighted by likeness, drawn towards each topic's rate."""
    terms, idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
    entries = tfidf_rows(labels.entries, terms, idf)
    likeness, which = nearest_rows(entries, entries, len(idf), NEIGHBOURS, skip_self=True)
    weight, prior = likeness[:, :, None], 2 * likeness.mean()
    base = (yes & known).sum(0) / known.sum(0)
    return ((weight * (yes & known)[which]).sum(1) + prior * base) / ((weight * known[which]).sum(1) + prior)


def by_topic(values: Any, known: Any) -> Any:
    """The log-odds with each topic's mean of 0 and deviation of 1."""
    there = np.where(known, values, np.nan)
    return (values - np.nanmean(there, 0)) / np.nanstd(there, 0)


def rankings(labels: Labels, yes: Any, known: Any) -> Iterator[tuple[str, Any]]:
    """For each method how doubtful each cell is, (n_entries, n_topics)."""
    texts = [entry_text(entry) for entry in labels.entries]
    runs = [train(texts, yes, known, labels.taxonomy, Settings(seed=seed)) for seed in range(3)]
    model, once = runs[0][0], logit(runs[0][1].scores)
    both = cross_validate_twice(texts, yes, known, labels.taxonomy, Settings())[1]
    side, base = np.where(yes, -1, 1), (yes & known).sum(0) / known.sum(0)
    share = votes(labels, model, yes, known)
    vote = logit(share) - logit(base)
    mean = {n: np.mean([logit(run[1].scores) for run in runs[:n]], axis=0) for n in (2, 3)}
    yield "**`tagger audit`: two, the second without what the first doubts**", label_error_log_odds(both, yes)
    yield "the same, with half the log-odds of the neighbours' vote", side * (logit(both) + vote / 2)
    yield "one cross-validation", side * once
    yield "one, each topic's log-odds from its base rate", side * (once - logit(base))
    yield "one, each topic's log-odds standardised", side * by_topic(once, known)
    yield "one, with half the log-odds of the neighbours' vote", side * (once + vote / 2)
    yield "the neighbours' vote alone", side * logit(share)
    yield "mean of two with other folds", side * mean[2]
    yield "mean of three with other folds", side * mean[3]
    yield "mean of three, with half the neighbours' vote", side * (mean[3] + vote / 2)
    if importlib.util.find_spec("cleanlab") is None:
        print("cleanlab is left out: it is not installed", file=sys.stderr)
        return
    from cleanlab.multilabel_classification.rank import get_label_quality_scores_per_class

    listed = [np.flatnonzero(row).tolist() for row in yes]
    for name, scores in (("one cross-validation", runs[0][1].scores), ("the scores of `tagger audit`", both)):
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            yield f"cleanlab, {method}, {name}", -get_label_quality_scores_per_class(listed, scores, method=method)
        adjusted = get_label_quality_scores_per_class(listed, scores, method="self_confidence", adjust_pred_probs=True)
        yield f"cleanlab, self_confidence, adjusted, {name}", -adjusted


def judged(doubt: Any, turned: Any, yes: Any, known: Any) -> list[float]:
    """Precision among as many as were turned; of those that say yes and no, each its precision and the share found."""
    order = np.argsort(-np.where(known, doubt, -np.inf), axis=None, kind="stable")[: turned.sum()]
    named = np.zeros(turned.size, dtype=bool)
    named[order] = True
    named = named.reshape(turned.shape)
    hit = named & turned
    parts = [hit.sum() / named.sum()]
    for kind in (yes, ~yes):
        parts += [(hit & kind).sum() / max(1, (named & kind).sum()), (hit & kind).sum() / max(1, (turned & kind).sum())]
    return [float(part) for part in parts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="how many times cells are drawn")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first seed; choices were made on 101 to 104")
    parser.add_argument("--share", type=float, default=0.05, help="of the cells that are turned")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", module="cleanlab")
    labels = read_labels(ROOT / "labels")
    true, known = labels.arrays()
    cells = np.flatnonzero(known)
    n_turned = round(given.share * len(cells))
    found: dict[str, list[list[float]]] = {}
    n_yes = []
    for seed in range(given.first, given.first + given.seeds):
        turned = np.zeros(true.size, dtype=bool)
        turned[np.random.default_rng(seed).choice(cells, n_turned, replace=False)] = True
        turned = turned.reshape(true.shape)
        yes = true ^ turned
        n_yes.append(int((turned & yes).sum()))
        for name, doubt in rankings(labels, yes, known):
            found.setdefault(name, []).append(judged(doubt, turned, yes, known))
        print(f"seed {seed}: {next(iter(found.values()))[-1][0]:.3f}", file=sys.stderr, flush=True)
    print(f"{n_turned} of {len(cells)} cells turned, on average {np.mean(n_yes):.0f} from no to yes; {given.seeds} seeds\n")
    table = []
    for name, runs in found.items():
        mean = np.mean(runs, axis=0)
        firsts = [run[0] for run in runs]
        within = f" ± {stats.t.ppf(0.975, len(runs) - 1) * stats.sem(firsts):.3f}" if len(runs) > 1 else ""
        table.append([name, f"{mean[0]:.3f}{within}", *(f"{value:.2f}" for value in mean[1:])])
    print(markdown_table(["ranking", "precision", "of yes", "found", "of no", "found"], table), end="")


if __name__ == "__main__":
    main()
