"""The model file: written, read, checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger import Entry, Model, ModelError, load
from tagger.formats.format import WriteOptions
from tagger.formats.registry import TEXT_FORMATS
from tagger.formats.wording import require_scores
from tagger.labels.dataset import Labels
from tagger.model.explain import add_reasons
from tagger.model.storage import FORMAT, hash_model, model_from_bytes, model_to_bytes, save_model
from tagger.model.training_record import PrecisionSupport, TrainingRecord
from tagger.model.weights import compress_weights
from tagger.taxonomy import Taxonomy, Topic

DATA = Path(__file__).parent / "data"


def small() -> Model:
    return Model(
        taxonomy=Taxonomy((Topic("a", "A"),)),
        hashes=np.array([3, 9], dtype=np.uint64),
        vocabulary_text=np.frombuffer(b"one\ntwo", dtype=np.uint8),
        idf=np.ones(2, dtype=np.float32),
        **compress_weights(np.ones((2, 1))),
        bias=np.zeros(1),
        thresholds=np.array([0.5]),
        out_of_fold_tags=np.zeros((0, 1), dtype=np.uint8),
        out_of_fold_ids=np.zeros((0, 8), dtype=np.uint8),
    )


def split_file(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The container's header, tagger's own inside it, and the bytes of the arrays."""
    length = int.from_bytes(data[:8], "little")
    container = json.loads(data[8 : 8 + length])
    return container, json.loads(container["__metadata__"]["tagger"]), data[8 + length :]


def join_file(container: Any, arrays: bytes) -> bytes:
    text = json.dumps(container).encode()
    return len(text).to_bytes(8, "little") + text + arrays


def refusal(data: bytes) -> str:
    with pytest.raises(ModelError) as caught:
        model_from_bytes(data, "m")
    message = str(caught.value)
    assert message.startswith("m: ")
    assert message.isprintable()
    return message


# --- round trips


def test_a_model_saved_and_loaded_is_equal_and_saves_to_the_same_bytes(model: Model, labels: Labels, tmp_path: Path) -> None:
    entries = labels.entries[:50]
    save_model(model, tmp_path / "m")
    again = load(tmp_path / "m")
    assert again == model
    assert (again.scores(entries) == model.scores(entries)).all()
    save_model(again, tmp_path / "m2")
    assert (tmp_path / "m2").read_bytes() == (tmp_path / "m").read_bytes() == model_to_bytes(model)


def test_what_training_wrote_down_is_kept() -> None:
    training = TrainingRecord(
        labels_hash="00",
        n_entries=0,
        versions={"tagger": "0.1.0"},
        settings={"seed": 0},
        chosen_settings={"seed": 1},
        usual_known_share=0.0,
        precision={"a": PrecisionSupport(0.9, 0.8, 5, 4, None)},
        figures={"micro_f1": [1.0, 0.9, 1.0]},
        other={"from the future": 1},
    )
    data = model_to_bytes(replace(small(), training=training))
    assert split_file(data)[1] == {
        "format": 2,
        "fewest": 0,
        "topics": [{"id": "a", "name": "A", "definition": "", "parent": None}],
        "labels_hash": "00",
        "n_entries": 0,
        "versions": {"tagger": "0.1.0"},
        "settings": {"seed": 0},
        "chosen": {"seed": 1},
        "usual_share": 0.0,
        "precision": {"a": GOAL},
        "figures": {"micro_f1": [1.0, 0.9, 1.0]},
        "from the future": 1,
    }
    again = model_from_bytes(data, "m")
    assert again.training == training
    assert model_to_bytes(again) == data
    assert model_from_bytes(model_to_bytes(small()), "m").training == TrainingRecord()


def test_the_hash_is_that_of_the_file() -> None:
    from hashlib import blake2b

    assert hash_model(small()) == blake2b(model_to_bytes(small()), digest_size=16).hexdigest()
    assert hash_model(small()) != hash_model(replace(small(), bias=np.ones(1)))


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_a_saved_file_of_each_format_loads(number: int) -> None:
    """The files were written by the versions of tagger that had these formats."""
    model = load(DATA / f"model-format-{number}.safetensors")
    assert model_to_bytes(model) == (DATA / f"model-format-{FORMAT}.safetensors").read_bytes()
    assert [topic.id for topic in model.topics] == ["ctr", "llm", "rag"]
    click, language = model.scores([Entry("Click"), Entry("Language")]).round(4).tolist()
    assert (click, language) == ([0.8808, 0.1192, 0.0], [0.8808, 0.8808, 0.0])
    assert model.out_of_fold_tags.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert model.out_of_fold_ids.tobytes() == b"j885z8ba5032fsjv"


def test_the_safetensors_library_reads_the_file(model: Model, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    save_model(model, tmp_path / "m.safetensors")
    arrays = load_file(tmp_path / "m.safetensors")
    assert (arrays["weights"] == model.weights).all()
    assert {name: str(array.dtype) for name, array in arrays.items()} == {
        "hashes": "uint64",
        "written": "uint8",
        "idf": "float32",
        "weight_starts": "uint64",
        "weight_topics": "uint32",
        "weights": "float32",
        "bias": "float64",
        "thresholds": "float64",
        "held_out": "uint8",
        "held_out_ids": "uint8",
    }


def test_the_page_on_formats_names_every_key_and_array(root: Path) -> None:
    page = (root / "docs/formats.md").read_text().partition("## The model file\n")[2].partition("\n## ")[0]
    training = TrainingRecord(
        "00", 1, {"a": "1"}, {"a": 1}, {"a": 1}, 0.5, {"a": PrecisionSupport(0.9, 0.8, 5, 4, 0)}, {"a": 1}
    )
    topic = Topic("a", "A", excludes=("b",), precision=0.5)
    container, header, _ = split_file(
        model_to_bytes(replace(small(), taxonomy=Taxonomy((topic,), max_topics=1), training=training))
    )
    names = {*header, *header["topics"][0], *header["precision"]["a"], *container} - {"__metadata__"}
    assert not {name for name in names if f"`{name}`" not in page}


# --- what is refused


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model can be read: No such file or directory; 'tagger retrain' makes one"):
        load(tmp_path / "none")


def test_a_file_cut_off_anywhere_is_refused() -> None:
    data = model_to_bytes(small())
    for length in range(len(data)):
        refusal(data[:length])
    size, header = len(data), 8 + int.from_bytes(data[:8], "little")
    assert refusal(data[:20]) == f"m: the file is cut off: it has 20 bytes, and its header alone needs {header}"
    assert refusal(data[:-1]) == f"m: the file is damaged: it has {size - 1} bytes, and its header describes {size}"
    assert refusal(data + b"x") == f"m: the file is damaged: it has {size + 1} bytes, and its header describes {size}"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" + b"x" * 100, b"\x80\x04" * 50, b"\xff" * 8 + b"{" + b"x" * 99])
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    assert refusal(data) == "m: not a tagger model: it does not begin like a safetensors file; 'tagger retrain' makes one"


NO_HEADER = "its header is not one that tagger writes"
NO_ARRAYS = "its header does not describe its arrays"


@pytest.mark.parametrize(
    "mutate, reason",
    [
        (lambda c: c.pop("__metadata__"), NO_HEADER),
        (lambda c: c.update(__metadata__=3), NO_HEADER),
        (lambda c: c["__metadata__"].update(tagger=3), NO_HEADER),
        (lambda c: c["__metadata__"].update(tagger="{"), NO_HEADER),
        (lambda c: c["__metadata__"].update(tagger="[1]"), NO_HEADER),
        (lambda c: c["__metadata__"].update(tagger="{}"), NO_HEADER),
        (lambda c: c["__metadata__"].update(tagger="[" * 100_000), NO_HEADER),
        (lambda c: c["idf"].update(shape=[1], data_offsets=[40, 44]), NO_ARRAYS),
        (lambda c: c["weights"].update(shape=[-1, -2]), NO_ARRAYS),
        (lambda c: c["weights"].update(shape=["2"]), NO_ARRAYS),
        (lambda c: c["weights"].update(shape=2), NO_ARRAYS),
        (lambda c: c["held_out"].update(shape=[10**30, 0]), NO_ARRAYS),
        (lambda c: c["weights"].update(dtype="I8"), NO_ARRAYS),
        (lambda c: c["weights"].update(data_offsets=[0, 8]), NO_ARRAYS),
        (lambda c: c["weights"].update(data_offsets=[0]), NO_ARRAYS),
        (lambda c: c["weights"].pop("dtype"), NO_ARRAYS),
        (lambda c: c.update(weights=3), NO_ARRAYS),
        (lambda c: c.update(other=c.pop("weights")), "it has no array 'weights'"),
        (lambda c: c["weights"].update(shape=[1, 2]), "its array 'weights' has the shape (1, 2), wanted (weights)"),
        (lambda c: c["hashes"].update(dtype="F64"), "its array 'hashes' is of float64, wanted uint64"),
    ],
)
def test_a_container_that_is_not_a_models_is_refused(mutate: Callable[[Any], object], reason: str) -> None:
    container, _, arrays = split_file(model_to_bytes(small()))
    mutate(container)
    assert refusal(join_file(container, arrays)) == f"m: not a tagger model: {reason}; 'tagger retrain' makes one"


def topic(**changes: Any) -> dict[str, Any]:
    """The header's topics with one that is changed."""
    return {"topics": [{"id": "a", "name": "A"} | changes]}


GOAL = {"goal": 0.9, "bound": 0.8, "tags": 5, "right": 4, "more": None}
SUPPORT = "wanted an object with goal, bound, tags, right and more for each topic"
NOT_TEXT = "its header has a topic whose id, name, definition or parent is not text"


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"format": 1}, "something is missing that format 1 has"),
        ({"topics": None}, "its header has no list of topics"),
        ({"topics": {"a": "A"}}, "its header has no list of topics"),
        ({"topics": ["a"]}, "its header has no list of topics"),
        ({"topics": [{"x": 1}]}, NOT_TEXT),
        (topic(id=1), NOT_TEXT),
        (topic(name=None), NOT_TEXT),
        (topic(definition=["x"]), NOT_TEXT),
        (topic(parent=[]), NOT_TEXT),
        (topic(color="red"), "its header has a topic with a key that tagger does not know"),
        (topic(excludes=3), "its header has 3 as what a topic excludes, wanted a list of ids"),
        (topic(excludes=[{}]), "its header has [{}] as what a topic excludes, wanted a list of ids"),
        (topic(precision="high"), "its header has 'high' as a topic's precision, wanted a number above 0 and below 1"),
        (topic(precision=1.5), "its header has 1.5 as a topic's precision, wanted a number above 0 and below 1"),
        ({"topics": [{"id": "a", "name": "A"}] * 2}, "its header has two topics of the same id"),
        ({"fewest": None}, "'fewest' in its header is None, wanted 0 or 1"),
        ({"fewest": 2}, "'fewest' in its header is 2, wanted 0 or 1"),
        ({"fewest": True}, "'fewest' in its header is True, wanted 0 or 1"),
        ({"fewest": "\x1b" * 99}, "'fewest' in its header is '" + r"\x1b" * 9 + r"\x1" + ", wanted 0 or 1"),
        ({"at_most": 0}, "'at_most' in its header is 0, wanted a whole number from 1 on"),
        ({"at_most": "2"}, "'at_most' in its header is '2', wanted a whole number from 1 on"),
        ({"labels_hash": 3}, "'labels_hash' in its header is 3, wanted text"),
        ({"n_entries": -1}, "'n_entries' in its header is -1, wanted a whole number"),
        (
            {"versions": {"tagger": 1}},
            "'versions' in its header is {'tagger': 1}, wanted an object with a text for each package",
        ),
        ({"settings": []}, "'settings' in its header is [], wanted an object"),
        ({"chosen": "all"}, "'chosen' in its header is 'all', wanted an object"),
        ({"figures": 3}, "'figures' in its header is 3, wanted an object"),
        ({"precision": {"a": {}}}, f"'precision' in its header is {{'a': {{}}}}, {SUPPORT}"),
        (
            {"precision": {"a": GOAL | {"goal": 2}}},
            f"'precision' in its header is {{'a': {{'goal': 2, 'bound': 0.8, 'tags': , {SUPPORT}",
        ),
        ({"usual_share": "x"}, "'usual_share' in its header is 'x', wanted a number from 0 to 1"),
        ({"usual_share": float("nan")}, "'usual_share' in its header is nan, wanted a number from 0 to 1"),
        ({"topics": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]}, "its array 'bias' has 1 topics, wanted 2"),
    ],
)
def test_a_header_with_a_wrong_value_is_refused(change: dict[str, Any], reason: str) -> None:
    container, about, arrays = split_file(model_to_bytes(small()))
    container["__metadata__"]["tagger"] = json.dumps(about | change)
    assert refusal(join_file(container, arrays)) == f"m: not a tagger model: {reason}; 'tagger retrain' makes one"


@pytest.mark.parametrize("number", [0, 3, True, "2", None])
def test_another_format_number_is_refused(number: object) -> None:
    container, about, arrays = split_file(model_to_bytes(small()))
    container["__metadata__"]["tagger"] = json.dumps(about | {"format": number})
    assert (
        refusal(join_file(container, arrays))
        == f"m: this is model format {number!r}, and tagger knows 1 to 2; install a newer tagger"
    )


WEIGHTS = "wanted numbers from -1e+06 to 1e+06"
STARTS = "its array 'weight_starts' does not split the weights into rows, one for each term"


@pytest.mark.parametrize(
    "fields, reason",
    [
        ({"idf": np.ones(3, np.float32)}, "its array 'idf' has 3 terms, wanted 2"),
        ({"thresholds": np.ones(2)}, "its array 'thresholds' has 2 topics, wanted 1"),
        ({"weights": np.ones(3, np.float32)}, "its array 'weights' has 3 weights, wanted 2"),
        ({"out_of_fold_ids": np.zeros((1, 8), np.uint8)}, "its array 'held_out_ids' has 1 entries, wanted 0"),
        ({"out_of_fold_ids": np.zeros((0, 7), np.uint8)}, "its array 'held_out_ids' has 7 letters, wanted 8"),
        ({"weights": np.array([1, np.nan], np.float32)}, f"its array 'weights' holds nan, {WEIGHTS}"),
        ({"weights": np.array([1, -1e30], np.float32)}, f"its array 'weights' holds -1e+30, {WEIGHTS}"),
        ({"idf": np.array([1, -1], np.float32)}, "its array 'idf' holds -1, wanted numbers from 0 to 1e+06"),
        ({"bias": np.array([1e300])}, f"its array 'bias' holds 1e+300, {WEIGHTS}"),
        ({"bias": np.array([np.inf])}, f"its array 'bias' holds inf, {WEIGHTS}"),
        ({"thresholds": np.array([-np.inf])}, "its array 'thresholds' holds -inf, wanted numbers from 0 to 1"),
        ({"thresholds": np.array([1.5])}, "its array 'thresholds' holds 1.5, wanted numbers from 0 to 1"),
        ({"weight_starts": np.array([0, 2], np.uint64)}, "its array 'weight_starts' has 2 numbers, wanted 3 for its 2 terms"),
        ({"weight_starts": np.array([1, 1, 2], np.uint64)}, STARTS),
        ({"weight_starts": np.array([0, 3, 2], np.uint64)}, STARTS),
        ({"weight_starts": np.array([0, 1, 1], np.uint64)}, STARTS),
        ({"weight_topics": np.array([0, 1], np.uint32)}, "its array 'weight_topics' names a column beyond its 1 topics"),
        ({"vocabulary_text": np.frombuffer(b"one", np.uint8)}, "it has 2 terms and the texts of 1"),
        ({"vocabulary_text": np.frombuffer(b"one\ntwo\n", np.uint8)}, "it has 2 terms and the texts of 3"),
    ],
)
def test_arrays_that_are_not_a_models_are_refused(fields: dict[str, Any], reason: str) -> None:
    data = model_to_bytes(replace(small(), **fields))
    assert refusal(data) == f"m: not a tagger model: {reason}; 'tagger retrain' makes one"


def test_a_topic_that_is_not_learned_has_infinite_numbers() -> None:
    model = replace(small(), bias=np.array([-np.inf]), thresholds=np.array([np.inf]))
    assert model_from_bytes(model_to_bytes(model), "m") == model


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_is_refused_or_loads_as_a_model_that_works(data: Any) -> None:
    damaged = bytearray(model_to_bytes(small()))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = model_from_bytes(bytes(damaged), "m")
    except ModelError:
        return
    tagged = found.tag([Entry("one two"), Entry("?")], all_scores=True)
    assert all(0 <= score <= 1 for result in tagged for score in require_scores(result).values)
    for format in TEXT_FORMATS:
        if format.shows_scores:
            format.write(add_reasons(found, tagged), WriteOptions(found.scored_topics))
