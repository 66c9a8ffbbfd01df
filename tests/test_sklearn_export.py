"""The model as a scikit-learn pipeline, in this process and out of a file."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import tagger
from tagger import Entry, Model, Topic, TopicClassifier
from tagger.labels.dataset import Labels
from tagger.model.sklearn_export import save_pipeline, to_pipeline
from tagger.taxonomy import Taxonomy
from tagger.text.normalize import entry_text


@pytest.fixture(scope="module")
def constrained(model: Model) -> Model:
    """The model with a parent, an exclusion and a limit."""
    first, second, third, *others = model.topics
    topics = (replace(first, parent=second.id), second, replace(third, excludes=(first.id,)), *others)
    return replace(model, taxonomy=Taxonomy(topics, max_topics=2))


@pytest.fixture(scope="module")
def entries(labels: Labels) -> list[Entry]:
    return [
        *labels.entries[:100],
        Entry("推荐系统综述", abstract="点击率 预测"),
        Entry("?"),
        Entry("Étude naïve", abstract="x" * 5000),
    ]


def assert_same(pipeline: Any, model: Model, entries: list[Entry]) -> None:
    texts = [entry_text(entry) for entry in entries]
    scores = np.stack([of_topic[:, 1] for of_topic in pipeline.predict_proba(texts)], axis=1)
    np.testing.assert_allclose(scores, model.scores(entries), atol=1e-6)
    tags = pipeline.predict(texts)
    assert tags.dtype == np.int64
    assert (tags.astype(bool) == model.predict(model.scores(entries))).all()


def test_the_pipeline_gives_the_same_scores_and_tags(model: Model, entries: list[Entry]) -> None:
    pipeline = to_pipeline(model)
    assert not isinstance(pipeline[-1], TopicClassifier), "it is made of scikit-learn's classes alone"
    assert_same(pipeline, model, entries)


def test_what_topics_say_of_each_other_holds_in_the_pipeline(constrained: Model, entries: list[Entry]) -> None:
    free = replace(
        constrained, taxonomy=Taxonomy(tuple(replace(topic, parent=None, excludes=()) for topic in constrained.topics))
    )
    scores = constrained.scores(entries)
    assert (constrained.predict(scores) != free.predict(free.scores(entries))).any(), "or else the test would show nothing"
    assert_same(to_pipeline(constrained), constrained, entries)


def test_a_topic_that_is_not_learned_is_never_tagged(tiny: Path) -> None:
    model = tagger.load(tiny)
    assert model.topics[2] == Topic("rag", "RAG")
    assert to_pipeline(model).predict(["click", "language", "rag"]).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["model", "constrained"])
def test_a_saved_pipeline_loads_in_a_fresh_process(
    kind: str, request: pytest.FixtureRequest, entries: list[Entry], tmp_path: Path
) -> None:
    model: Model = request.getfixturevalue(kind)
    save_pipeline(model, tmp_path / "p.joblib")
    texts = [entry_text(entry) for entry in entries]
    (tmp_path / "texts.pickle").write_bytes(pickle.dumps(texts))
    script = (
        "import joblib, pickle; pipeline = joblib.load('p.joblib'); "
        "print(pipeline.predict(pickle.load(open('texts.pickle', 'rb'))).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{model.predict(model.scores(entries)).astype(int).tolist()}\n"


@pytest.mark.parametrize("kind, ours", [("model", set()), ("constrained", {("tagger", "TopicClassifier")})])
def test_a_saved_pipeline_names_no_private_module_of_tagger(
    kind: str, ours: set[tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    named: set[tuple[str, str]] = set()

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            named.add((module, name))
            return super().find_class(module, name)

    Recorder(io.BytesIO(pickle.dumps(to_pipeline(request.getfixturevalue(kind))))).load()
    assert {
        (module, name) for module, name in named if module.partition(".")[0] not in ("numpy", "scipy", "sklearn", "builtins")
    } == ours


def test_the_classifier_keeps_its_parameters_as_scikit_learn_wants() -> None:
    parameters = {
        "topics": [{"id": "a"}, {"id": "b", "parent": "a", "excludes": []}],
        "thresholds": [0.5, 0.5],
        "min_topics": 1,
        "max_topics": 2,
    }
    classifier = TopicClassifier(**parameters)
    assert {name: value for name, value in clone(classifier).get_params().items() if name in parameters} == parameters
    assert "TopicClassifier" in repr(classifier)
