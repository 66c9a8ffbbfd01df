"""Compare ways to train by nested cross-validation, for docs/model.md.

usage: python bench/settings.py [NAME...] [--seeds N] [--data DIR] [--jobs N]

NAME is `labels` (this repository's labels, the default) or a folder of DIR (by default ../shared/bench). Of such a folder the
training half is used, and at most 60 labels, evenly spaced from the most to the least frequent. bench/variants.py has the
ways: each differs from the base in the one thing that it names. Weights, calibration and thresholds of each outer fold come
from the other folds alone; the folds are the same for all variants. Prints a Markdown table: micro- and macro-F1 with 95%
intervals over entries, and the difference in micro-F1 and macro-F1 to the base with its paired interval.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from variants import Task, Variant, out_of_fold_tags, variants_of  # beside this script

from tagger.evaluation import metrics
from tagger.labels.dataset import read_labels
from tagger.text.hashed_vocabulary import build_vocabulary
from tagger.text.near_duplicates import group_near_duplicates
from tagger.text.normalize import TITLE_WEIGHT
from tagger.training.labelled_counts import count_matrix
from tagger.training.settings import Settings

ROOT = Path(__file__).parent.parent


def read_repository() -> tuple[Task, Variant]:
    """The labels of this repository, and what they are trained with."""
    labels = read_labels(ROOT / "labels")
    settings = Settings()
    base = Variant(
        C=settings.C or 1.0,
        threshold_shrinkage=settings.threshold_shrinkage or 0.0,
        scale_exponent=settings.scale_exponent or 0.0,
    )

    def texts(title_weight: int) -> list[str]:
        return ["\n".join([entry.title] * title_weight + [entry.abstract]) for entry in labels.entries]

    return Task(texts, *labels.arrays(), near_duplicates(texts(TITLE_WEIGHT)), 5), base


def read_folder(folder: Path) -> tuple[Task, Variant]:
    """The training half of a public data set, and about what training chooses for it."""
    with gzip.open(folder / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    names = sorted({name for record in records for name in record["labels"]})
    yes = np.array([[name in record["labels"] for name in names] for record in records])
    most_frequent_first = np.argsort(-yes.sum(0), kind="stable")
    places = np.unique(np.linspace(0, len(names) - 1, min(60, len(names))).astype(int))
    yes = yes[:, np.sort(most_frequent_first[places])]
    n_words = np.median([len(record["text"].split()) for record in records])
    # What training chooses for these sets, to a step; see bench/quality.py.
    base = Variant(use_bigrams=False, C=0.2, scale_exponent=1.0 if n_words > 200 else 0.5, threshold_shrinkage=30.0)
    base = replace(base, C=5.0) if 50 < n_words < 200 else base
    texts = [record["text"] for record in records]
    return Task(lambda title_weight: texts, yes, np.ones_like(yes), near_duplicates(texts), 3), base


def near_duplicates(texts: list[str]) -> Any:
    counts = count_matrix(texts, build_vocabulary(texts, 2).vocabulary).counts
    return group_near_duplicates(counts.indptr, counts.indices)


def print_table(name: str, task: Task, base: Variant, n_seeds: int, n_jobs: int) -> None:
    variants = variants_of(base, with_titles=name == "labels")
    runs = [(variant, seed) for variant in variants for seed in range(n_seeds)]
    work = Parallel(n_jobs=n_jobs)(delayed(out_of_fold_tags)(variants[variant], task, seed) for variant, seed in runs)
    tags = dict(zip(runs, work, strict=True))
    yes, labelled = task.yes, task.labelled
    has_yes = yes.any(axis=0)

    def macro(rows: Any, tagged: Any) -> float:
        counts = metrics.count_cells(yes[rows], labelled[rows], tagged[rows]).sum(0)
        return float(np.nan_to_num(metrics.f1(counts))[has_yes].mean())

    def micro(rows: Any, tagged: Any) -> float:
        return metrics.micro_f1(yes[rows], labelled[rows], tagged[rows])

    def mean(figure: Callable[[Any, Any], float], variant: str) -> Callable[[Any], float]:
        return lambda rows: float(np.mean([figure(rows, tags[variant, seed]) for seed in range(n_seeds)]))

    print(f"### {name}: {len(yes)} entries, {yes.shape[1]} topics; base: {base}\n")
    print("| settings | micro-F1 | macro-F1 | micro-F1, difference | macro-F1, difference |\n|---|---|---|---|---|")
    everything = np.arange(len(yes))
    for variant in variants:
        cells = [variant]
        for figure in (micro, macro):
            low, high = metrics.bootstrap_interval(mean(figure, variant), len(yes), rounds=200)
            cells.append(f"{mean(figure, variant)(everything):.3f} ({low:.3f}-{high:.3f})")
        for figure in (micro, macro) if variant != "**base**" else ():

            def difference(rows: Any, figure: Any = figure, variant: str = variant) -> float:
                return mean(figure, variant)(rows) - mean(figure, "**base**")(rows)

            low, high = metrics.bootstrap_interval(difference, len(yes), rounds=200)
            cells.append(f"{difference(everything):+.3f} ({low:+.3f} to {high:+.3f})")
        print(f"| {' | '.join(cells + [''] * (5 - len(cells)))} |", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["labels"], metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, help="how many ways to cut the folds")
    parser.add_argument("--jobs", type=int, default=-1, help="processes")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "bench", metavar="DIR")
    arguments = parser.parse_args()
    for name in arguments.names:
        task, base = read_repository() if name == "labels" else read_folder(arguments.data / name)
        print_table(name, task, base, arguments.seeds, arguments.jobs)


if __name__ == "__main__":
    main()
