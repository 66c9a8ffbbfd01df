from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from tagger.evaluation import metrics
from tagger.labels.dataset import Labels
from tagger.model.decision import apply_thresholds
from tagger.model.storage import model_to_bytes
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.normalize import entry_text
from tagger.training.classifier import make_estimator
from tagger.training.settings import SEARCHED_SETTINGS, Settings
from tagger.training.trainer import TrainingResult, train

ODD_TEXTS = ["", "推荐 系统 综述", "नमस्ते दुनिया", "😀", "x" * 1000, "Ünïted naïve café", "\0\0"]


@pytest.fixture(scope="module")
def trained(labels: Labels) -> TrainingResult:
    yes, labelled = labels.arrays()
    return train([entry_text(entry) for entry in labels.entries], yes, labelled, labels.taxonomy)


def test_scores_equal_those_of_the_estimators_it_was_trained_with(trained: TrainingResult, labels: Labels) -> None:
    """Fitted here once more with scikit-learn alone; calibration is two numbers a topic, found from two entries."""
    model = trained.model
    settings = Settings()
    texts = [entry_text(entry) for entry in labels.entries]
    vectorizer = TfidfVectorizer(
        preprocessor=str.casefold,
        token_pattern=r"(?u)\b\w\w+\b",
        ngram_range=(1, 2),
        min_df=settings.min_df,
        sublinear_tf=True,
    )
    matrix = vectorizer.fit_transform(texts)
    scored = texts[:400] + ODD_TEXTS
    ours = model.score_texts(scored)
    logits = np.log(ours / (1 - ours))
    yes, labelled = labels.arrays()
    # liblinear goes through features in order, so that ours is the order to fit in
    order = [vectorizer.vocabulary_[term] for term in model.terms]
    for t in range(len(labels.topics)):
        x, y = matrix[labelled[:, t]][:, order], yes[labelled[:, t], t]
        p, q = x[y].sum(axis=0) + settings.log_ratio_smoothing, x[~y].sum(axis=0) + settings.log_ratio_smoothing
        scale = np.abs(np.log(np.asarray(p / p.sum()) / np.asarray(q / q.sum()))).ravel()
        scale /= np.sqrt(x.multiply(scale).power(2).sum() / x.shape[0])
        assert settings.C is not None
        fitted = make_estimator(settings.C).fit(x.multiply(scale).tocsr(), y)
        theirs = fitted.decision_function(vectorizer.transform(scored)[:, order].multiply(scale).tocsr())
        exact = np.flatnonzero(np.abs(logits[:, t]) < 5)  # nearer to 0 or 1 a score says little of its logit
        low, high = exact[theirs[exact].argmin()], exact[theirs[exact].argmax()]
        slope = (logits[high, t] - logits[low, t]) / (theirs[high] - theirs[low])
        expected = 1 / (1 + np.exp(-(logits[low, t] + slope * (theirs - theirs[low]))))
        np.testing.assert_allclose(ours[:, t], expected, atol=1e-6)


def test_the_same_labels_give_the_same_bytes(trained: TrainingResult, labels: Labels) -> None:
    yes, labelled = labels.arrays()
    again, _ = train([entry_text(entry) for entry in labels.entries], yes, labelled, labels.taxonomy, n_jobs=2)
    assert model_to_bytes(again) == model_to_bytes(trained.model)


def test_figures_come_from_entries_the_model_did_not_see(labels: Labels) -> None:
    """Random labels cannot be learned. A figure of entries that the model had seen would look good all the same."""
    random = np.random.default_rng(0)
    texts = [entry_text(entry) for entry in labels.entries[:300]]
    yes = random.random((300, 2)) < 0.3
    model, out_of_fold = train(texts, yes, np.ones_like(yes), Taxonomy((Topic("a", "A"), Topic("b", "B"))))
    chance = metrics.micro_f1(yes, np.ones_like(yes), np.ones_like(yes))
    assert metrics.micro_f1(yes, np.ones_like(yes), out_of_fold.tagged) < chance + 0.05
    assert metrics.average_precision(yes, np.ones_like(yes), model.score_texts(texts)).min() > 0.9, "what it saw looks good"
    assert metrics.average_precision(yes, np.ones_like(yes), out_of_fold.scores).max() < 0.5


def test_scores_of_out_of_fold_entries_are_calibrated(trained: TrainingResult, labels: Labels) -> None:
    yes, labelled = labels.arrays()
    assert metrics.calibration_error(yes, labelled, trained.out_of_fold.scores) < 0.03


def test_unsure_cells_do_not_teach(labels: Labels) -> None:
    texts = [entry_text(entry) for entry in labels.entries[:200]]
    yes, _ = labels.arrays()
    yes = yes[:200, [1, 3]]
    labelled = np.ones_like(yes)
    labelled[::7, 0] = False
    flipped = yes.copy()
    flipped[~labelled] = ~flipped[~labelled]
    taxonomy = Taxonomy((labels.topics[1], labels.topics[3]))
    model, _ = train(texts, yes, labelled, taxonomy)
    same_model, _ = train(texts, flipped, labelled, taxonomy)
    assert model_to_bytes(model) == model_to_bytes(same_model)


def test_a_topic_with_too_few_yes_entries_is_not_guessed(labels: Labels) -> None:
    texts = [entry_text(entry) for entry in labels.entries[:200]]
    yes = np.zeros((200, 2), dtype=bool)
    yes[:, 0] = labels.arrays()[0][:200, 1]
    yes[:3, 1] = True
    model, out_of_fold = train(texts, yes, np.ones_like(yes), Taxonomy((Topic("a", "A"), Topic("b", "B"))))
    assert model.thresholds[1] == np.inf
    assert not out_of_fold.tagged[:, 1].any()
    assert (model.score_texts(texts)[:, 1] == 0).all()
    with pytest.raises(ValueError, match="no topic has 5 entries with a yes, and as many with a no"):
        train(texts, yes[:, 1:], np.ones_like(yes[:, 1:]), Taxonomy((Topic("b", "B"),)))


def test_a_topic_with_just_enough_is_learned_in_every_fold(labels: Labels) -> None:
    texts = [entry_text(entry) for entry in labels.entries[:40]]
    yes = np.zeros((40, 1), dtype=bool)
    yes[:5] = True
    model, out_of_fold = train(texts, yes, np.ones_like(yes), Taxonomy((Topic("a", "A"),)))
    assert np.isfinite(model.thresholds).all()
    assert (out_of_fold.scores > 0).all()


def test_copies_of_one_entry_are_too_few() -> None:
    yes = np.array([[True]] * 8 + [[False]] * 8)
    with pytest.raises(ValueError, match="fewer than 10 of them are distinct"):
        train(["the very same words again"] * 16, yes, np.ones_like(yes), Taxonomy((Topic("a", "A"),)))


def test_progress_is_reported_after_each_fit(labels: Labels) -> None:
    calls: list[tuple[int, int]] = []
    texts = [entry_text(entry) for entry in labels.entries[:60]]
    yes = labels.arrays()[0][:60, 1:2]
    train(texts, yes, np.ones_like(yes), Taxonomy(labels.topics[1:2]), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(n, 6) for n in range(1, 7)]


def texts_that_name_topics(n_entries: int, n_topics: int, n_names: int = 3) -> tuple[list[str], np.ndarray]:
    """Texts in which a topic is named by one of a few words of its own, among words that mean nothing."""
    random = np.random.default_rng(0)
    yes = random.random((n_entries, n_topics)) < 3 / n_topics
    texts = []
    for row in yes:
        words = [f"noise{n}" for n in random.integers(300, size=20)]
        words += [f"topic{t}word{random.integers(n_names)}" for t in np.flatnonzero(row)]
        texts.append(" ".join(random.permutation(words)))
    return texts, yes


@pytest.mark.slow
def test_many_topics_are_learned_from_sparse_labels_and_a_label_never_seen_comes_last() -> None:
    texts, yes = texts_that_name_topics(900, 80)
    yes[:, 7] = False
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"T{n}") for n in range(80)))
    settings = replace(SEARCHED_SETTINGS, min_positives=1)
    model, _ = train(texts[:600], csr_array(yes[:600]), None, taxonomy, settings, cross_validate=False)
    scores = model.score_texts(texts[600:])
    tagged = apply_thresholds(scores, model.thresholds, taxonomy, model.min_topics)
    assert metrics.micro_f1(yes[600:], np.ones_like(yes[600:]), tagged) > 0.9
    assert (scores.argmin(axis=1) == 7).all()
    assert not tagged[:, 7].any()
    assert all(value is not None for value in model.training.chosen_settings.values())
    assert model.training.settings == settings.to_header()
    dense, _ = train(texts[:600], yes[:600], np.ones_like(yes[:600]), taxonomy, settings, n_jobs=2, cross_validate=False)
    assert model_to_bytes(dense) == model_to_bytes(model)


@pytest.mark.slow
def test_more_than_five_hundred_topics_are_learned_and_cross_validated() -> None:
    texts, yes = texts_that_name_topics(1800, 510, n_names=1)
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"T{n}") for n in range(510)))
    settings = Settings(use_bigrams=False, threshold_shrinkage=None, min_positives=2, n_folds=2)
    model, out_of_fold = train(texts[:1500], csr_array(yes[:1500]), None, taxonomy, settings, n_jobs=2)
    assert out_of_fold.scores.shape == (1500, 510)
    assert metrics.micro_f1(yes[:1500], np.ones_like(yes[:1500]), out_of_fold.tagged) > 0.9
    tagged = model.predict(model.score_texts(texts[1500:]))
    assert metrics.micro_f1(yes[1500:], np.ones_like(yes[1500:]), tagged) > 0.9
    assert (np.isfinite(model.thresholds) == (yes[:1500].sum(axis=0) >= 2)).all()
