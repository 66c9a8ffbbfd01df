"""The training engine against known linear taggers on public data sets of texts with several labels.

usage: python bench/quality.py NAME... [--data DIR] [--methods PART,...] [--max-seconds N] [--json FILE...] [--svg FILE]

NAME is a folder of DIR (by default ../shared/bench) with train.jsonl.gz and test.jsonl.gz, an object with `text` and
`labels` a line. Every method gets the raw texts and label lists of the training half, chooses its settings inside it, and
scores the test half once; all are measured with the same functions, each in a process of its own, on one core. Intervals
are those of a bootstrap over test texts. Results are added to the first --json FILE, so that long runs can be done in parts;
without a NAME, what the FILEs hold is shown and drawn.

Methods. The peers but scikit-learn are optional: `pip install '.[bench]'`. "Sublinear TF-IDF" is that of words in two texts
or more, the same for all; "one cut" is the threshold, common to all labels, with the best micro-F1 on texts held out.

- tagger: `tagger.training.trainer.train`, which chooses C, the scale of the features, bigrams and thresholds itself;
  `min_positives` is 1.
- scikit-learn: one-vs-rest LinearSVC and LogisticRegression on sublinear TF-IDF; C and one cut by three-fold
  cross-validation, of which only the first fold is held out where texts x labels exceed five million.
- LibMultiLabel 1vsrest: L2-regularised squared hinge with a bias on sublinear TF-IDF; C and one cut in the same way.
- LibMultiLabel thresholding: the same at C = 1, the default; it chooses a threshold for each label by cross-validation
  itself, and several times over for C would take several times as long. It ranks by distance from the threshold.
- omikuji Parabel (its defaults) and Bonsai (trees with unbalanced clusters, 100 at a node, depth 3) on sublinear TF-IDF;
  one cut from the first of three folds; the best 50 labels of a text are looked at.
- fastText: one-vs-all loss on lower-cased words and punctuation and pairs of them, 200,000 hash buckets; learning rate,
  epochs (up to 100, or 50 on the sets named above) and one cut from the first of three folds; the best 50 labels likewise.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import json
import multiprocessing
import os
import pickle
import re
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from tagger.evaluation import metrics
from tagger.model.decision import apply_thresholds
from tagger.model.storage import model_to_bytes
from tagger.taxonomy import Taxonomy, Topic
from tagger.training.settings import SEARCHED_SETTINGS
from tagger.training.trainer import train

DATA = Path(__file__).parent.parent.parent / "shared" / "bench"
LARGE = 5_000_000  # texts x labels, above which settings are chosen with less effort
LISTED = 50  # how many labels of a text are asked of a method that ranks without scoring all
# Texts -> scores and tags. Scores are (texts, labels), or integers (texts, 5 or more): the best labels in order, -1 for none.
# Tags are booleans (texts, labels), or the columns of each text's labels.
Tagger = Callable[[list[str]], tuple[Any, Any]]
Fit = Callable[[list[str], Any], tuple[Tagger, int]]  # texts and labels -> the trained tagger and its bytes on disk
Result = dict[str, Any]


def ours(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"topic {n}") for n in range(yes.shape[1])))
    model, _ = train(
        texts, sparse.csr_array(yes), None, taxonomy, replace(SEARCHED_SETTINGS, min_positives=1), cross_validate=False
    )

    def tag(some: list[str]) -> tuple[Any, Any]:
        best, tagged = [], []
        for scores in model.iterate_scores(some):  # a block at a time, so that many labels do not fill the memory
            best.append(np.argsort(-scores, axis=1, kind="stable")[:, :5])
            decided = apply_thresholds(scores, model.thresholds, min_topics=model.min_topics)
            tagged += [np.flatnonzero(row) for row in decided]
        return np.concatenate(best), tagged

    return tag, len(model_to_bytes(model))


def tf_idf() -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, min_df=2)


def folds(n_texts: int) -> list[tuple[Any, Any]]:
    return list(KFold(3, shuffle=True, random_state=0).split(np.zeros(n_texts)))


def best_cut(yes: Any, scores: Any, n_yes: int) -> tuple[float, float]:
    """The best micro-F1 of one threshold for all, and the threshold; `n_yes` counts those without a score too."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    figure = 2 * np.cumsum(yes[order]) / (np.arange(1, len(order) + 1) + n_yes)
    figure[:-1][ordered[1:] == ordered[:-1]] = 0  # equal scores are tagged together
    at = figure.argmax()
    return float(figure[at]), float(ordered[at])


def one_vs_rest(make: Callable[[float], Any]) -> Fit:
    def fit(texts: list[str], yes: Any) -> tuple[Tagger, int]:
        vectorizer = tf_idf()
        x = vectorizer.fit_transform(texts)
        splits = folds(len(texts))[: 1 if yes.size > LARGE else 3]
        out = np.concatenate([rows for _, rows in splits])
        found: list[tuple[float, float, float]] = []
        for c in (0.3, 1.0, 3.0, 10.0):
            scores = np.concatenate([ranked(make(c).fit(x[a], yes[a]), x[b], yes[a]) for a, b in splits])
            scored = np.isfinite(scores)
            f1, cut = best_cut(yes[out][scored], scores[scored], yes[out].sum())
            found.append((f1, c, cut))
        _, c, cut = max(found)
        classifier = make(c).fit(x, yes)

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


class Labels(sparse.csc_matrix):  # type: ignore[misc]
    """Labels as LibMultiLabel 0.10 wants them: it counts each one's texts along an axis 2, which SciPy no longer takes."""

    def sum(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        """The sum along an axis, where 2 stands for 0."""
        return super().sum(0 if axis == 2 else axis, dtype, out)


class LibMultiLabel:
    """One of LibMultiLabel's linear training functions, in the form of a scikit-learn classifier."""

    def __init__(self, function: str, c: float) -> None:
        self.function, self.options = function, f"-s 2 -B 1 -e 0.0001 -q -m 1 -c {c}"

    def fit(self, x: Any, yes: Any) -> LibMultiLabel:
        """Train on features (texts, terms) and labels (texts, labels)."""
        np.random.seed(0)  # thresholding draws its folds from the global state
        function = getattr(importlib.import_module("libmultilabel.linear"), self.function)
        self.model = function(Labels(yes.astype(float)), x, options=self.options, verbose=False)
        return self

    def decision_function(self, x: Any) -> Any:
        """Decision values (texts, labels)."""
        return self.model.predict_values(x)


def thresholding(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    vectorizer = tf_idf()
    classifier = LibMultiLabel("train_thresholding", 1.0).fit(vectorizer.fit_transform(texts), yes)

    def tag(some: list[str]) -> tuple[Any, Any]:
        scores = ranked(classifier, vectorizer.transform(some), yes)
        return scores, scores > 0

    return tag, len(pickle.dumps((vectorizer, classifier)))


def listed(pairs: Iterable[Iterable[tuple[int, float]]], n_texts: int, yes: Any) -> tuple[Any, Any]:
    """Each text's labels in order and their scores, as two arrays that end in -1 and -inf; never a label without a text."""
    seen = yes.any(axis=0)
    best, scores = np.full((n_texts, LISTED), -1), np.full((n_texts, LISTED), -np.inf)
    for n, found in enumerate(pairs):
        for k, (label, score) in enumerate(pair for pair in found if seen[pair[0]]):
            best[n, k], scores[n, k] = label, score
    return best, scores


def listed_cut(yes: Any, best: Any, scores: Any) -> tuple[float, float]:
    return best_cut(np.take_along_axis(yes, best, axis=1)[best >= 0], scores[best >= 0], yes.sum())


def with_cut(lists: Callable[[list[str]], tuple[Any, Any]], cut: float) -> Tagger:
    def tag(some: list[str]) -> tuple[Any, Any]:
        best, scores = lists(some)
        return best, [row[:n] for row, n in zip(best, (scores >= cut).sum(axis=1), strict=True)]

    return tag


def omikuji(**settings: Any) -> Fit:
    def fit(texts: list[str], yes: Any) -> tuple[Tagger, int]:
        inside, out = folds(len(texts))[0]
        lists, _ = forest([texts[n] for n in inside], yes[inside])
        _, cut = listed_cut(yes[out], *lists([texts[n] for n in out]))
        lists, size = forest(texts, yes)
        return with_cut(lists, cut), size

    def forest(texts: list[str], yes: Any) -> tuple[Callable[[list[str]], tuple[Any, Any]], int]:
        Model = importlib.import_module("omikuji").Model  # noqa: N806
        vectorizer = tf_idf()
        x = vectorizer.fit_transform(texts)
        options = Model.default_hyper_param()
        for name, value in settings.items():
            setattr(options, name, value)
        with tempfile.TemporaryDirectory() as folder:
            with (Path(folder) / "texts").open("w") as file:
                rows = np.flatnonzero(np.diff(x.indptr))  # it refuses a text without a term
                file.write(f"{len(rows)} {x.shape[1]} {yes.shape[1]}\n")
                for labels, row in zip(yes[rows], x[rows], strict=True):
                    features = " ".join(f"{column}:{value:.6g}" for column, value in pairs_of(row))
                    file.write(f"{','.join(map(str, np.flatnonzero(labels)))} {features}\n")
            with quiet():
                model = Model.train_on_data(file.name, options, n_threads=1)
                model.init_prediction_thread_pool(1)
                model.save(f"{folder}/model")
            size = sum(path.stat().st_size for path in Path(folder, "model").iterdir()) + len(pickle.dumps(vectorizer))

        def lists(some: list[str]) -> tuple[Any, Any]:
            rows = vectorizer.transform(some)
            return listed((model.predict(pairs_of(row), top_k=LISTED) for row in rows), len(some), yes)

        return lists, size

    return fit


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing on standard output and error, also from compiled code, which logs there and draws progress."""
    kept = [os.dup(1), os.dup(2)]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        for number, file in zip((1, 2), kept, strict=True):
            os.dup2(file, number)
            os.close(file)


def pairs_of(row: Any) -> list[tuple[int, float]]:
    return sorted(zip(row.indices.tolist(), row.data.tolist(), strict=True))


def fasttext(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    lines = words(texts)
    inside, out = folds(len(texts))[0]
    found = []
    for rate, epochs in ((0.25, 25), (0.5, 10), (0.5, 25), (0.5, 50)):
        epochs *= 1 if yes.size > LARGE else 2
        lists, _ = fasttext_model([lines[n] for n in inside], yes[inside], rate, epochs)
        found.append((*listed_cut(yes[out], *lists([lines[n] for n in out])), rate, epochs))
    _, cut, rate, epochs = max(found)
    lists, size = fasttext_model(lines, yes, rate, epochs)
    return with_cut(lambda some: lists(words(some)), cut), size


def words(texts: list[str]) -> list[str]:
    return [" ".join(re.findall(r"\w+|[^\w\s]", text.lower())) for text in texts]


def fasttext_model(lines: list[str], yes: Any, rate: float, epochs: int) -> tuple[Callable[[list[str]], tuple[Any, Any]], int]:
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "texts").open("w") as file:
            for labels, line in zip(yes, lines, strict=True):
                file.write(f"{' '.join(f'__label__{n}' for n in np.flatnonzero(labels))} {line}\n")
        options: dict[str, Any] = {"loss": "ova", "wordNgrams": 2, "bucket": 200_000, "thread": 1, "verbose": 0}
        model = importlib.import_module("fasttext").train_supervised(file.name, lr=rate, epoch=epochs, **options)
        model.save_model(f"{folder}/model")
        size = Path(folder, "model").stat().st_size

    def lists(some: list[str]) -> tuple[Any, Any]:
        names, scores = model.predict(some, k=LISTED)
        numbers = ((int(name.removeprefix("__label__")) for name in row) for row in names)
        return listed((zip(*pair, strict=True) for pair in zip(numbers, scores, strict=True)), len(some), yes)

    return lists, size


METHODS: dict[str, tuple[Fit, str | None]] = {  # and the module that an optional one needs
    "tagger": (ours, None),
    "scikit-learn LinearSVC": (one_vs_rest(lambda c: OneVsRestClassifier(LinearSVC(C=c))), None),
    "scikit-learn LogisticRegression": (
        one_vs_rest(lambda c: OneVsRestClassifier(LogisticRegression(C=10 * c, solver="liblinear"))),
        None,
    ),
    "LibMultiLabel thresholding": (thresholding, "libmultilabel.linear"),
    "LibMultiLabel 1vsrest": (one_vs_rest(lambda c: LibMultiLabel("train_1vsrest", c)), "libmultilabel.linear"),
    "omikuji Bonsai": (omikuji(cluster_balanced=False, cluster_k=100, max_depth=3), "omikuji"),
    "omikuji Parabel": (omikuji(), "omikuji"),
    "fastText": (fasttext, "fasttext"),
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
        found += [[record["text"] for record in half]]
        found += [cells([[column[label] for label in record["labels"]] for record in half], len(names))]
    return tuple(found)


def cells(columns: list[Any], n_labels: int) -> Any:
    """Booleans (texts, labels) from the columns of each text's labels."""
    yes = np.zeros((len(columns), n_labels), dtype=bool)
    for n, some in enumerate(columns):
        yes[n, some] = True
    return yes


def ndcg(hits: Any, n_yes: Any) -> float:
    """Normalised discounted cumulated gain; a text without a label counts for nothing."""
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(n_yes, hits.shape[1])]
    return float(((hits * discount).sum(1)[ideal > 0] / ideal[ideal > 0]).mean())


def measure(name: str, folder: Path, send: Any) -> None:
    """Train and tag with one method, and send its result."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, whatever threads a method starts
    texts, yes, test, truth = load(folder)
    fit, needs = METHODS[name]
    warnings.filterwarnings("ignore", "Label not")  # scikit-learn, of a label without a text in a fold
    sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]  # numba would find coverage.py here
    if needs:
        importlib.import_module(needs)  # before the clock starts, as for those imported above
    with threadpool_limits(limits=1):
        start = time.process_time()
        tag, size = fit(texts, yes)
        trained = time.process_time() - start
        start = time.process_time()
        scores, tagged = tag(test)
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    tagged = tagged if isinstance(tagged, np.ndarray) else cells(tagged, truth.shape[1])
    best = scores if np.issubdtype(scores.dtype, np.integer) else np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(np.pad(truth, ((0, 0), (0, 1))), best[:, :5], axis=1)  # -1 is the last column, never a hit

    def counts(axis: int) -> metrics.ConfusionCounts:
        pairs = ((truth & tagged), (~truth & tagged), (truth & ~tagged))
        return metrics.ConfusionCounts(*(pair.sum(axis, dtype=float) for pair in pairs))

    c = counts(1)
    low, high = metrics.bootstrap_interval(
        lambda rows: float(metrics.f1(metrics.ConfusionCounts(c.tp[rows], c.fp[rows], c.fn[rows]).sum())), len(test), rounds=200
    )
    send.send(
        {
            "micro": float(metrics.f1(c.sum())),
            "low": low,
            "high": high,
            "macro": float(np.nan_to_num(metrics.f1(counts(0)))[truth.any(axis=0)].mean()),
            "p1": float(hits[:, :1].mean()),
            "p5": float(hits.mean()),
            "ndcg": ndcg(hits, truth.sum(1)),
            "train": trained,
            "rate": len(test) / seconds,
            "size": size / 1e6,
            "peak": peak,
        }
    )


def run(name: str, folder: Path, max_seconds: float | None) -> Result:
    """The result of one method in a process of its own, or that it took too long."""
    spawn = multiprocessing.get_context("spawn")
    receive, send = spawn.Pipe(duplex=False)
    process = spawn.Process(target=measure, args=(name, folder, send))
    process.start()
    send.close()
    if receive.poll(max_seconds):
        result = receive.recv()
    else:
        process.kill()
        result = {"over": max_seconds}
    process.join()
    return {"set": folder.name, "method": name, **result}


def heading(set_name: str) -> str:
    # Seconds of the processor: the same as by the clock on a core that is free, and not more on one that is not.
    columns = "| method | micro-F1 | macro-F1 | P@1 | P@5 | nDCG@5 | training s | texts/s | MB | peak MB |"
    return f"### {set_name}\n\n{columns}\n{'|---' * 10}|"


def line(result: Result) -> str:
    if "over" in result:
        return f"| {result['method']} | over {result['over']:.0f} s in all |{' |' * 8}"
    return (
        "| {method} | {micro:.3f} ({low:.3f}-{high:.3f}) | {macro:.3f} | {p1:.3f} | {p5:.3f} | {ndcg:.3f} | {train:.1f} "
        "| {rate:,.0f} | {size:.1f} | {peak:.0f} |"
    ).format(**result)


def draw(results: list[Result], path: Path) -> None:
    """Micro-F1 with its interval and macro-F1 of every method on every set, in greys and hues for any background."""
    import matplotlib
    from matplotlib.figure import Figure

    grey, micro, macro = "#7a7a7a", "#2f81c7", "#d9730d"
    style: dict[Any, Any] = {"svg.hashsalt": "tagger", "svg.fonttype": "none", "font.size": 9}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), grey)
    sets = list(dict.fromkeys(r["set"] for r in results))
    methods = [name for name in METHODS if any(r["method"] == name for r in results)][::-1]
    with matplotlib.rc_context(style):
        n_rows = -(-len(sets) // 2)
        figure = Figure(figsize=(9, 0.6 + n_rows * (0.7 + 0.24 * len(methods))), layout="constrained")
        for axes, set_name in zip(figure.subplots(n_rows, 2, squeeze=False, sharey=True).flat, sets, strict=False):
            for r in (r for r in results if r["set"] == set_name):
                at = methods.index(r["method"])
                if "over" in r:
                    axes.annotate(
                        f"over {r['over']:.0f} s", (0.02, at), xycoords=("axes fraction", "data"), va="center", size=7
                    )
                    continue
                whiskers = [[r["micro"] - r["low"]], [r["high"] - r["micro"]]]
                axes.errorbar(
                    r["micro"], at + 0.1, xerr=whiskers, fmt="o", color=micro, ms=5, capsize=2, label="micro-F1, 95% interval"
                )
                axes.plot(r["macro"], at - 0.25, "D", color=macro, ms=4, label="macro-F1")
            axes.set_title(set_name, fontsize=10)
            axes.set_yticks(range(len(methods)), methods)
            axes.set_ylim(-0.7, len(methods) - 0.4)
            axes.grid(color=grey, alpha=0.25, linewidth=0.5)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.patch.set_alpha(0)
        for axes in figure.axes[len(sets) :]:
            axes.set_visible(False)
        legend = {text: mark for axes in figure.axes for mark, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=2, frameon=False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR")
    parser.add_argument("--methods", metavar="PART,...", help="only methods with one of these in their name")
    parser.add_argument("--max-seconds", type=float, metavar="N", help="stop a method that takes longer, and say so")
    parser.add_argument("--json", type=Path, action="append", default=[], metavar="FILE", help="results: read, and kept")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the results")
    arguments = parser.parse_args()
    parts = (arguments.methods or "").lower().split(",")
    methods = [name for name in METHODS if any(part in name.lower() for part in parts)]
    results: dict[tuple[str, str], Result] = {}
    for file in arguments.json:
        if file.exists():
            results |= {(r["set"], r["method"]): r for r in json.loads(file.read_text())}
    for name in methods if arguments.names else []:
        if (needs := METHODS[name][1]) and not importlib.util.find_spec(needs.split(".")[0]):
            print(f"{name} is left out, as {needs.split('.')[0]} is not installed: pip install '.[bench]'")
            methods = [other for other in methods if other != name]
    for set_name in arguments.names:
        print(heading(set_name))
        for name in methods:
            results[set_name, name] = run(name, arguments.data / set_name, arguments.max_seconds)
            print(line(results[set_name, name]), flush=True)
            if arguments.json:
                arguments.json[0].write_text(json.dumps(list(results.values()), indent=1) + "\n")
        print()
    if not arguments.names:
        for set_name in dict.fromkeys(set_name for set_name, _ in results):
            print(heading(set_name))
            print(*(line(results[set_name, name]) for name in METHODS if (set_name, name) in results), "", sep="\n")
    if arguments.svg:
        draw(list(results.values()), arguments.svg)


if __name__ == "__main__":
    main()
