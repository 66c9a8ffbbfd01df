"""The training engine and known linear taggers in one form, for bench/quality.py.

The peers but scikit-learn are optional: `pip install '.[bench]'`. "Sublinear TF-IDF" is that of words in two texts or more, the
same for all methods. "One threshold" is common to all labels; it has the best micro-F1 on texts that are left out of training.

- tagger: `tagger.training.trainer.train`, which chooses C, the scale of the features, bigrams and thresholds itself;
  `min_positives` is 1.
- scikit-learn: one-vs-rest LinearSVC and LogisticRegression on sublinear TF-IDF. C and one threshold are chosen by three-fold
  cross-validation. Where texts x labels exceed five million, only the first fold is left out.
- LibMultiLabel 1vsrest: L2-regularised squared hinge with a bias on sublinear TF-IDF; C and one threshold in the same way.
- LibMultiLabel thresholding: the same at C = 1, the default. It chooses a threshold for each label by cross-validation itself.
  To choose C too would take several times as long. It ranks labels by the distance from their thresholds.
- omikuji Parabel (its defaults) and Bonsai (trees with unbalanced clusters, 100 at a node, depth 3) on sublinear TF-IDF. One
  threshold comes from the first of three folds. The best 50 labels of a text are looked at.
- fastText: one-vs-all loss on lower-cased words and punctuation and pairs of them, 200,000 hash buckets. Learning rate, epochs
  (up to 100, or 50 where texts x labels exceed five million) and one threshold come from the first of three folds. The best 50
  labels of a text are looked at.
"""

from __future__ import annotations

import importlib
import os
import pickle
import re
import tempfile
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

from tagger.model.decision import apply_thresholds
from tagger.model.storage import model_to_bytes
from tagger.taxonomy import Taxonomy, Topic
from tagger.training.settings import SEARCHED_SETTINGS
from tagger.training.trainer import train

MANY_CELLS = 5_000_000  # texts x labels, above which settings are chosen with less effort
N_RANKED = 50  # how many labels of a text are asked of a method that ranks without scoring all

# Texts -> scores and tags. Scores are (texts, labels), or integers (texts, 5 or more): the best labels in order, -1 for none.
# Tags are booleans (texts, labels), or the columns of each text's labels.
Tagger = Callable[[list[str]], tuple[Any, Any]]
Fit = Callable[[list[str], Any], tuple[Tagger, int]]  # texts and labels -> the trained tagger and its bytes on disk
RankedLists = Callable[[list[str]], tuple[Any, Any]]  # texts -> the best labels of each in order, and their scores


def fit_tagger(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"topic {n}") for n in range(yes.shape[1])))
    model, _ = train(
        texts, sparse.csr_array(yes), None, taxonomy, replace(SEARCHED_SETTINGS, min_positives=1), cross_validate=False
    )

    def tag(texts: list[str]) -> tuple[Any, Any]:
        best, tagged = [], []
        for scores in model.iterate_scores(texts):  # a block at a time, so that many labels do not fill the memory
            best.append(np.argsort(-scores, axis=1, kind="stable")[:, :5])
            tags = apply_thresholds(scores, model.thresholds, min_topics=model.min_topics)
            tagged += [np.flatnonzero(row) for row in tags]
        return np.concatenate(best), tagged

    return tag, len(model_to_bytes(model))


def make_vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, min_df=2)


def cut_folds(n_texts: int) -> list[tuple[Any, Any]]:
    return list(KFold(3, shuffle=True, random_state=0).split(np.zeros(n_texts)))


def best_threshold(yes: Any, scores: Any, n_yes: int) -> tuple[float, float]:
    """The best micro-F1 of one threshold for all, and the threshold; `n_yes` counts those without a score too."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    f1 = 2 * np.cumsum(yes[order]) / (np.arange(1, len(order) + 1) + n_yes)
    f1[:-1][ranked[1:] == ranked[:-1]] = 0  # equal scores are tagged together
    best = f1.argmax()
    return float(f1[best]), float(ranked[best])


def fit_one_vs_rest(make: Callable[[float], Any]) -> Fit:
    def fit(texts: list[str], yes: Any) -> tuple[Tagger, int]:
        vectorizer = make_vectorizer()
        x = vectorizer.fit_transform(texts)
        splits = cut_folds(len(texts))[: 1 if yes.size > MANY_CELLS else 3]
        left_out = np.concatenate([rows for _, rows in splits])
        candidates: list[tuple[float, float, float]] = []
        for C in (0.3, 1.0, 3.0, 10.0):
            scores = np.concatenate([decision_values(make(C).fit(x[a], yes[a]), x[b], yes[a]) for a, b in splits])
            scored = np.isfinite(scores)
            f1, threshold = best_threshold(yes[left_out][scored], scores[scored], yes[left_out].sum())
            candidates.append((f1, C, threshold))
        _, C, threshold = max(candidates)
        classifier = make(C).fit(x, yes)

        def tag(texts: list[str]) -> tuple[Any, Any]:
            scores = decision_values(classifier, vectorizer.transform(texts), yes)
            return scores, scores >= threshold

        return tag, len(pickle.dumps((vectorizer, classifier)))

    return fit


def decision_values(classifier: Any, x: Any, yes: Any) -> Any:
    """Decision values; a label without a training text goes below all others, where scikit-learn would give it 0."""
    scores = np.asarray(classifier.decision_function(x), dtype=float)
    scores[:, ~yes.any(axis=0)] = -np.inf
    return scores


class LabelMatrix(sparse.csc_matrix):  # type: ignore[misc]
    """Labels as LibMultiLabel 0.10 wants them: it counts each one's texts along an axis 2, which SciPy no longer takes."""

    def sum(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        """The sum along an axis, where 2 stands for 0."""
        return super().sum(0 if axis == 2 else axis, dtype, out)


class LibMultiLabel:
    """One of LibMultiLabel's linear training functions, in the form of a scikit-learn classifier."""

    def __init__(self, function: str, C: float) -> None:
        self.function, self.options = function, f"-s 2 -B 1 -e 0.0001 -q -m 1 -c {C}"

    def fit(self, x: Any, yes: Any) -> LibMultiLabel:
        """Train on features (texts, terms) and labels (texts, labels)."""
        np.random.seed(0)  # thresholding draws its folds from the global state
        function = getattr(importlib.import_module("libmultilabel.linear"), self.function)
        self.model = function(LabelMatrix(yes.astype(float)), x, options=self.options, verbose=False)
        return self

    def decision_function(self, x: Any) -> Any:
        """Decision values (texts, labels)."""
        return self.model.predict_values(x)


def fit_thresholding(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    vectorizer = make_vectorizer()
    classifier = LibMultiLabel("train_thresholding", 1.0).fit(vectorizer.fit_transform(texts), yes)

    def tag(texts: list[str]) -> tuple[Any, Any]:
        scores = decision_values(classifier, vectorizer.transform(texts), yes)
        return scores, scores > 0

    return tag, len(pickle.dumps((vectorizer, classifier)))


def pad_lists(pairs: Iterable[Iterable[tuple[int, float]]], n_texts: int, yes: Any) -> tuple[Any, Any]:
    """Each text's labels in order and their scores, as two arrays that end in -1 and -inf; never a label without a text."""
    seen = yes.any(axis=0)
    best, scores = np.full((n_texts, N_RANKED), -1), np.full((n_texts, N_RANKED), -np.inf)
    for n, text_pairs in enumerate(pairs):
        for k, (label, score) in enumerate(pair for pair in text_pairs if seen[pair[0]]):
            best[n, k], scores[n, k] = label, score
    return best, scores


def best_list_threshold(yes: Any, best: Any, scores: Any) -> tuple[float, float]:
    return best_threshold(np.take_along_axis(yes, best, axis=1)[best >= 0], scores[best >= 0], yes.sum())


def apply_threshold(rank: RankedLists, threshold: float) -> Tagger:
    def tag(texts: list[str]) -> tuple[Any, Any]:
        best, scores = rank(texts)
        return best, [row[:n] for row, n in zip(best, (scores >= threshold).sum(axis=1), strict=True)]

    return tag


def fit_omikuji(**settings: Any) -> Fit:
    def fit(texts: list[str], yes: Any) -> tuple[Tagger, int]:
        inside, left_out = cut_folds(len(texts))[0]
        rank, _ = train_forest([texts[n] for n in inside], yes[inside])
        _, threshold = best_list_threshold(yes[left_out], *rank([texts[n] for n in left_out]))
        rank, size = train_forest(texts, yes)
        return apply_threshold(rank, threshold), size

    def train_forest(texts: list[str], yes: Any) -> tuple[RankedLists, int]:
        Model = importlib.import_module("omikuji").Model  # noqa: N806
        vectorizer = make_vectorizer()
        x = vectorizer.fit_transform(texts)
        options = Model.default_hyper_param()
        for name, value in settings.items():
            setattr(options, name, value)
        with tempfile.TemporaryDirectory() as folder:
            with (Path(folder) / "texts").open("w") as file:
                rows = np.flatnonzero(np.diff(x.indptr))  # it refuses a text without a term
                file.write(f"{len(rows)} {x.shape[1]} {yes.shape[1]}\n")
                for labels, row in zip(yes[rows], x[rows], strict=True):
                    features = " ".join(f"{column}:{value:.6g}" for column, value in sorted_values(row))
                    file.write(f"{','.join(map(str, np.flatnonzero(labels)))} {features}\n")
            with silence():
                model = Model.train_on_data(file.name, options, n_threads=1)
                model.init_prediction_thread_pool(1)
                model.save(f"{folder}/model")
            size = sum(path.stat().st_size for path in Path(folder, "model").iterdir()) + len(pickle.dumps(vectorizer))

        def rank(texts: list[str]) -> tuple[Any, Any]:
            rows = vectorizer.transform(texts)
            return pad_lists((model.predict(sorted_values(row), top_k=N_RANKED) for row in rows), len(texts), yes)

        return rank, size

    return fit


@contextmanager
def silence() -> Iterator[None]:
    """Nothing on standard output and error, also from compiled code, which logs there and draws progress."""
    saved = [os.dup(1), os.dup(2)]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        for number, file in zip((1, 2), saved, strict=True):
            os.dup2(file, number)
            os.close(file)


def sorted_values(row: Any) -> list[tuple[int, float]]:
    return sorted(zip(row.indices.tolist(), row.data.tolist(), strict=True))


def fit_fasttext(texts: list[str], yes: Any) -> tuple[Tagger, int]:
    lines = split_words(texts)
    inside, left_out = cut_folds(len(texts))[0]
    candidates = []
    for rate, epochs in ((0.25, 25), (0.5, 10), (0.5, 25), (0.5, 50)):
        epochs *= 1 if yes.size > MANY_CELLS else 2
        rank, _ = train_fasttext([lines[n] for n in inside], yes[inside], rate, epochs)
        candidates.append((*best_list_threshold(yes[left_out], *rank([lines[n] for n in left_out])), rate, epochs))
    _, threshold, rate, epochs = max(candidates)
    rank, size = train_fasttext(lines, yes, rate, epochs)
    return apply_threshold(lambda texts: rank(split_words(texts)), threshold), size


def split_words(texts: list[str]) -> list[str]:
    return [" ".join(re.findall(r"\w+|[^\w\s]", text.lower())) for text in texts]


def train_fasttext(lines: list[str], yes: Any, rate: float, epochs: int) -> tuple[RankedLists, int]:
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "texts").open("w") as file:
            for labels, line in zip(yes, lines, strict=True):
                file.write(f"{' '.join(f'__label__{n}' for n in np.flatnonzero(labels))} {line}\n")
        options: dict[str, Any] = {"loss": "ova", "wordNgrams": 2, "bucket": 200_000, "thread": 1, "verbose": 0}
        model = importlib.import_module("fasttext").train_supervised(file.name, lr=rate, epoch=epochs, **options)
        model.save_model(f"{folder}/model")
        size = Path(folder, "model").stat().st_size

    def rank(texts: list[str]) -> tuple[Any, Any]:
        names, scores = model.predict(texts, k=N_RANKED)
        numbers = ((int(name.removeprefix("__label__")) for name in row) for row in names)
        return pad_lists((zip(*pair, strict=True) for pair in zip(numbers, scores, strict=True)), len(texts), yes)

    return rank, size


METHODS: dict[str, tuple[Fit, str | None]] = {  # and the module that an optional one needs
    "tagger": (fit_tagger, None),
    "scikit-learn LinearSVC": (fit_one_vs_rest(lambda C: OneVsRestClassifier(LinearSVC(C=C))), None),
    "scikit-learn LogisticRegression": (
        fit_one_vs_rest(lambda C: OneVsRestClassifier(LogisticRegression(C=10 * C, solver="liblinear"))),
        None,
    ),
    "LibMultiLabel thresholding": (fit_thresholding, "libmultilabel.linear"),
    "LibMultiLabel 1vsrest": (fit_one_vs_rest(lambda C: LibMultiLabel("train_1vsrest", C)), "libmultilabel.linear"),
    "omikuji Bonsai": (fit_omikuji(cluster_balanced=False, cluster_k=100, max_depth=3), "omikuji"),
    "omikuji Parabel": (fit_omikuji(), "omikuji"),
    "fastText": (fit_fasttext, "fasttext"),
}
