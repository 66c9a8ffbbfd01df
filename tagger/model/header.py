"""The header that tagger writes into a model file: read with checks, and written.

Its keys are the file's own and do not follow the names of fields: `fewest` is `Model.min_topics`, `at_most` is
`Taxonomy.max_topics`, `usual_share` is `TrainingRecord.usual_known_share`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from tagger.errors import ModelError
from tagger.model.model import Model
from tagger.model.training_record import PrecisionSupport, TrainingRecord
from tagger.taxonomy import Taxonomy, Topic

__all__ = ["ModelHeader", "build_header", "file_error", "parse_header", "shorten"]


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """What a header holds, checked."""

    taxonomy: Taxonomy
    min_topics: int
    training: TrainingRecord


def file_error(path: str, reason: str) -> ModelError:
    """The error for a file that is not as a model file must be."""
    return ModelError(f"{path}: not a tagger model: {reason}; 'tagger retrain' makes one")


def shorten(value: object) -> str:
    """A value as messages show it: without control characters, and never long."""
    return f"{value!r:.40}"


def _value_error(path: str, key: str, value: object, wanted: str) -> ModelError:
    return file_error(path, f"{key!r} in its header is {shorten(value)}, wanted {wanted}")


def build_header(model: Model) -> dict[str, Any]:
    """The header of a model, without the format number. What a model does not have is not in it."""
    max_topics = model.taxonomy.max_topics
    limits = {"fewest": model.min_topics} | ({} if max_topics is None else {"at_most": max_topics})
    return {**limits, "topics": [_topic_to_json(topic) for topic in model.topics], **_training_to_json(model.training)}


def parse_header(header: dict[str, Any], path: str) -> ModelHeader:
    """What a header of today's format holds.

    Args:
        header: without the format number.
        path: the file's name, for messages.

    Raises:
        ModelError: if something is missing or is not what it must be.
    """
    rest = dict(header)
    topics = _parse_topics(rest.pop("topics", None), path)
    min_topics, max_topics = rest.pop("fewest", None), rest.pop("at_most", None)
    if not _is_whole(min_topics) or min_topics not in (0, 1):
        raise _value_error(path, "fewest", min_topics, "0 or 1")
    if max_topics is not None and (not _is_whole(max_topics) or max_topics < 1):
        raise _value_error(path, "at_most", max_topics, "a whole number from 1 on")
    return ModelHeader(Taxonomy(topics, max_topics), min_topics, _parse_training(rest, path))


def _parse_topics(records: object, path: str) -> tuple[Topic, ...]:
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise file_error(path, "its header has no list of topics")
    topics = tuple(_parse_topic(record, path) for record in records)
    if len({topic.id for topic in topics}) != len(topics):
        raise file_error(path, "its header has two topics of the same id")
    return topics


def _parse_topic(record: dict[str, Any], path: str) -> Topic:
    texts = [record.get("id"), record.get("name"), record.get("definition", "")]
    parent, excludes, precision = record.get("parent"), record.get("excludes", []), record.get("precision")
    if not all(isinstance(text, str) for text in texts) or not (parent is None or isinstance(parent, str)):
        raise file_error(path, "its header has a topic whose id, name, definition or parent is not text")
    if not isinstance(excludes, list) or not all(isinstance(other, str) for other in excludes):
        raise file_error(path, f"its header has {shorten(excludes)} as what a topic excludes, wanted a list of ids")
    if precision is not None and not (isinstance(precision, float) and 0 < precision < 1):
        raise file_error(
            path, f"its header has {shorten(precision)} as a topic's precision, wanted a number above 0 and below 1"
        )
    try:
        return Topic(**record)
    except TypeError:
        raise file_error(path, "its header has a topic with a key that tagger does not know") from None


def _parse_training(rest: dict[str, Any], path: str) -> TrainingRecord:
    """What the keys say that a header has besides those of topics and limits."""
    values: dict[str, Any] = {}
    other = dict(rest)
    for key, (name, wanted, is_valid) in _TRAINING_KEYS.items():
        if key in other:
            values[name] = other.pop(key)
            if not is_valid(values[name]):
                raise _value_error(path, key, values[name], wanted)
    if "precision" in values:
        values["precision"] = {
            id: PrecisionSupport(**{name: record[key] for key, name in _PRECISION_KEYS.items()})
            for id, record in values["precision"].items()
        }
    return TrainingRecord(**values, other=other)


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_versions(value: object) -> bool:
    return _is_object(value) and all(isinstance(version, str) for version in value.values())


def _is_precision(value: object) -> bool:
    return _is_object(value) and all(_is_object(record) and _is_precision_record(record) for record in value.values())


def _is_precision_record(record: dict[str, Any]) -> bool:
    return (
        record.keys() == _PRECISION_KEYS.keys()
        and _is_share(record["goal"])
        and _is_share(record["bound"])
        and _is_whole(record["tags"])
        and _is_whole(record["right"])
        and (record["more"] is None or _is_whole(record["more"]))
    )


# By key: the field of `TrainingRecord`, what its value must be, and whether a value is that.
_TRAINING_KEYS: dict[str, tuple[str, str, Callable[[object], bool]]] = {
    "labels_hash": ("labels_hash", "text", lambda value: isinstance(value, str)),
    "n_entries": ("n_entries", "a whole number", _is_whole),
    "versions": ("versions", "an object with a text for each package", _is_versions),
    "settings": ("settings", "an object", _is_object),
    "chosen": ("chosen_settings", "an object", _is_object),
    "usual_share": ("usual_known_share", "a number from 0 to 1", _is_share),
    "precision": ("precision", "an object with goal, bound, tags, right and more for each topic", _is_precision),
    "figures": ("figures", "an object", _is_object),
}

# By key: the field of `PrecisionSupport`.
_PRECISION_KEYS = {"goal": "goal", "bound": "lower_bound", "tags": "n_tags", "right": "n_right", "more": "n_lacking"}


def _training_to_json(training: TrainingRecord) -> dict[str, Any]:
    values = {key: getattr(training, name) for key, (name, _, _) in _TRAINING_KEYS.items()}
    values["precision"] = {
        id: {key: getattr(support, name) for key, name in _PRECISION_KEYS.items()} for id, support in training.precision.items()
    }
    return {key: value for key, value in values.items() if value is not None and value != {}} | dict(training.other)


def _topic_to_json(topic: Topic) -> dict[str, Any]:
    record: dict[str, Any] = {"id": topic.id, "name": topic.name, "definition": topic.definition, "parent": topic.parent}
    record |= {"excludes": list(topic.excludes)} if topic.excludes else {}
    return record | ({} if topic.precision is None else {"precision": topic.precision})
