"""The training engine against known linear taggers on public data sets of texts with several labels.

usage: python bench/quality.py NAME... [--data DIR]

NAME is a folder of DIR (by default ../shared/bench) with train.jsonl.gz and test.jsonl.gz, an object with `text` and
`labels` a line. Every method gets the raw texts and label lists of the training half, chooses its settings inside it, and
scores the test half once; all are measured with the same functions, each in a process of its own, on one core. Intervals
are those of a bootstrap over test texts.

Methods: tagger (`tagger.training.train`, the same settings for every set but `min_yes`, which is 1), and scikit-learn's
one-vs-rest LinearSVC and LogisticRegression on sublinear TF-IDF of words, C and one cut for all labels chosen by
three-fold cross-validation.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import pickle
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from tagger import metrics
from tagger.decide import decide
from tagger.taxonomy import Topic
from tagger.training import Settings, train

DATA = Path(__file__).parent.parent.parent / "shared" / "bench"
Tagger = Callable[[list[str]], tuple[Any, Any]]  # texts -> (scores, tags)


def ours(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    topics = [Topic(f"t{n}", f"topic {n}") for n in range(yes.shape[1])]
    model, _ = train(texts, yes, np.ones_like(yes), topics, replace(Settings(), min_yes=1), cross_validate=False)

    def tag(some: list[str]) -> tuple[Any, Any]:
        scores = model.scores_of(some)
        return scores, decide(scores, model.thresholds)

    return tag, len(model.to_bytes())


def one_vs_rest(make: Callable[[float], Any]) -> Callable[[list[str], Any], tuple[Tagger, int]]:
    def fit(texts: list[str], yes: Any) -> tuple[Tagger, int]:
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2)
        x = vectorizer.fit_transform(texts)
        found: list[tuple[float, float, float]] = []
        for c in (0.3, 1.0, 3.0, 10.0):
            scores = np.zeros(yes.shape)
            for inside, out in KFold(3, shuffle=True, random_state=0).split(x):
                scores[out] = ranked(OneVsRestClassifier(make(c)).fit(x[inside], yes[inside]), x[out], yes[inside])
            cuts = np.quantile(scores[np.isfinite(scores)], np.linspace(0.5, 1, 400))
            found += [(metrics.micro_f1(yes, np.ones_like(yes), scores >= cut), c, cut) for cut in cuts]
        _, c, cut = max(found)
        classifier = OneVsRestClassifier(make(c)).fit(x, yes)

        def tag(some: list[str]) -> tuple[Any, Any]:
            scores = ranked(classifier, vectorizer.transform(some), yes)
            return scores, scores >= cut

        return tag, len(pickle.dumps((vectorizer, classifier)))

    return fit


def ranked(classifier: Any, x: Any, yes: Any) -> Any:
    """Decision values; a label without a training text goes below all others, where scikit-learn would give it 0."""
    scores = np.asarray(classifier.decision_function(x), dtype=float)
    scores[:, ~yes.any(axis=0)] = -np.inf
    return scores


METHODS: dict[str, Callable[[list[str], Any], tuple[Tagger, int]]] = {
    "tagger": ours,
    "scikit-learn LinearSVC": one_vs_rest(lambda c: LinearSVC(C=c)),
    "scikit-learn LogisticRegression": one_vs_rest(lambda c: LogisticRegression(C=10 * c, solver="liblinear")),
}


def load(folder: Path) -> tuple[list[str], Any, list[str], Any]:
    halves = []
    for name in ("train", "test"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            halves.append([json.loads(line) for line in file])
    names = sorted({label for half in halves for record in half for label in record["labels"]})
    column = {name: n for n, name in enumerate(names)}
    found: list[Any] = []
    for half in halves:
        yes = np.zeros((len(half), len(names)), dtype=bool)
        for n, record in enumerate(half):
            yes[n, [column[label] for label in record["labels"]]] = True
        found += [[record["text"] for record in half], yes]
    return tuple(found)  # type: ignore[return-value]


def precision_at(yes: Any, scores: Any, k: int) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(yes, best, axis=1).mean())


def ndcg_at(yes: Any, scores: Any, k: int) -> float:
    """Normalised discounted cumulated gain; a text without a label counts for nothing."""
    k = min(k, yes.shape[1])
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    gain = (np.take_along_axis(yes, best, axis=1) * discount).sum(1)
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(yes.sum(1), k)]
    return float((gain[ideal > 0] / ideal[ideal > 0]).mean())


def measure(name: str, folder: Path, send: Any) -> None:
    """Train and tag with one method, and send its row."""
    texts, yes, test, truth = load(folder)
    with threadpool_limits(limits=1):
        start = time.perf_counter()
        tag, size = METHODS[name](texts, yes)
        trained = time.perf_counter() - start
        start = time.perf_counter()
        scores, tagged = tag(test)
        seconds = time.perf_counter() - start
    known, there = np.ones_like(truth), truth.any(axis=0)
    low, high = metrics.bootstrap(lambda rows: metrics.micro_f1(truth[rows], known[rows], tagged[rows]), len(test), rounds=200)
    macro = np.nan_to_num(metrics.f1(metrics.counts(truth, known, tagged).sum(0)))[there].mean()
    send.send(
        [
            name,
            f"{metrics.micro_f1(truth, known, tagged):.3f} ({low:.3f}-{high:.3f})",
            f"{macro:.3f}",
            f"{precision_at(truth, scores, 1):.3f}",
            f"{precision_at(truth, scores, 5):.3f}",
            f"{ndcg_at(truth, scores, 5):.3f}",
            f"{trained:.1f}",
            f"{len(test) / seconds:,.0f}",
            f"{size / 1e6:.1f}",
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR")
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    for set_name in arguments.names:
        print(f"### {set_name}\n")
        print("| method | micro-F1 | macro-F1 | P@1 | P@5 | nDCG@5 | training s | texts/s | MB | peak MB |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name in METHODS:
            receive, send = spawn.Pipe(duplex=False)
            process = spawn.Process(target=measure, args=(name, arguments.data / set_name, send))
            process.start()
            print(f"| {' | '.join(receive.recv())} |", flush=True)
            process.join()
        print()


if __name__ == "__main__":
    main()
