"""The model file: how it is written, read and checked.

The file is a safetensors file: eight bytes with the length of the header, the header as JSON, then the arrays end to end. It
holds no code, so reading a stranger's model runs nothing of theirs.

A file is read in four steps, and each refuses a file that is not as it must be: `_parse_container` reads the header and the
arrays, `_upgrade` turns an old format into today's, `parse_header` checks the header, and `_check_…` check the arrays.

**A new format** gets its number in `FORMAT` and its step in `_UPGRADES`: a function that turns the header and the arrays of
the number before into its own. So every model file ever written can be read.

- Format 1 had all weights in one array (n_terms, n_topics), and no `fewest` in its header.
- Format 2 has the weights in compressed sparse rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.atomic import write_whole
from tagger.errors import ModelError
from tagger.identity import ID_LENGTH
from tagger.model.header import build_header, file_error, parse_header, shorten
from tagger.model.model import Model
from tagger.model.weights import compress_weights
from tagger.stamp import hash_bytes

__all__ = ["FORMAT", "hash_model", "load", "model_from_bytes", "model_to_bytes", "read_model_bytes", "save_model"]

FORMAT = 2
_SHIPPED = "topics.safetensors"
_MAX_HEADER = 100_000_000  # bytes

# Training gives weights of at most a few hundred. A larger number than this is damage: one flipped bit can make 1e300 of 1.
_MAX_WEIGHT = 1e6

_DTYPES = {"F64": "<f8", "F32": "<f4", "U64": "<u8", "U32": "<u4", "U8": "|u1"}

# By the array's name in the file: its type, and its shape. Sizes of the same name must be the same.
_ARRAYS = {
    "hashes": ("U64", ("terms",)),
    "weight_starts": ("U64", ("starts",)),
    "bias": ("F64", ("topics",)),
    "thresholds": ("F64", ("topics",)),
    "idf": ("F32", ("terms",)),
    "weight_topics": ("U32", ("weights",)),
    "weights": ("F32", ("weights",)),
    "held_out": ("U8", ("entries", "topics")),
    "held_out_ids": ("U8", ("entries", "letters")),
    "written": ("U8", ("bytes",)),
}

# By the array's name in the file, the field of `Model` where it has another name.
_FIELDS = {"held_out": "out_of_fold_tags", "held_out_ids": "out_of_fold_ids", "written": "vocabulary_text"}

RawHeader = dict[str, Any]

Arrays = dict[str, NDArray[Any]]


def load(path: str | Path | None = None) -> Model:
    """The model in a file; without a path the one that is shipped with the package.

    Raises:
        ModelError: if there is no file, or it is not a model that this version can use.
    """
    return model_from_bytes(*read_model_bytes(path))


def read_model_bytes(path: str | Path | None = None) -> tuple[bytes, str]:
    """The bytes of a model file and its path, as `model_from_bytes` takes them; without a path those of the shipped model.

    Raises:
        ModelError: if the file cannot be read.
    """
    if path is None:
        package = Path(__file__).parent.parent
        packaged = package / "models" / _SHIPPED
        # In a checkout the model is beside the package, not inside it.
        source = packaged if packaged.is_file() else package.parent / "models" / _SHIPPED
        path = str(source)
    else:
        source = Path(path)
    try:
        return source.read_bytes(), str(path)
    except OSError as error:
        raise ModelError(f"{path}: no model can be read: {error.strerror}; 'tagger retrain' makes one") from None


def save_model(model: Model, path: Path) -> None:
    """Write a model file, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    write_whole(path, model_to_bytes(model))


def hash_model(model: Model) -> str:
    """A hash of the model file's bytes: what `b2sum -l 128` of the file gives."""
    return hash_bytes(model_to_bytes(model))


def model_to_bytes(model: Model) -> bytes:
    """The bytes of the model file. Equal models give equal bytes."""
    header = json.dumps({"format": FORMAT} | build_header(model), ensure_ascii=False)
    descriptions: dict[str, Any] = {"__metadata__": {"tagger": header}}
    parts: list[bytes] = []
    end = 0
    for name, (dtype, _) in _ARRAYS.items():
        array = np.ascontiguousarray(getattr(model, _FIELDS.get(name, name)), dtype=_DTYPES[dtype])
        parts.append(array.tobytes())
        descriptions[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [end, end + len(parts[-1])]}
        end += len(parts[-1])
    text = json.dumps(descriptions, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def model_from_bytes(data: bytes, path: str) -> Model:
    """The model in a file's bytes, checked before use.

    Args:
        data: the bytes.
        path: the file's name, for messages.

    Raises:
        ModelError: if the bytes are cut off, damaged, of another kind, or of a format that this version does not know.
    """
    header, arrays = _parse_container(data, path)
    _upgrade(header, arrays, path)
    parsed = parse_header(header, path)
    n_topics = len(parsed.taxonomy.topics)
    _check_shapes(arrays, n_topics, path)
    _check_values(arrays, path)
    _check_weight_rows(arrays, n_topics, path)
    _check_vocabulary(arrays, path)
    fields: dict[str, Any] = {_FIELDS.get(name, name): arrays[name] for name in _ARRAYS}
    return Model(taxonomy=parsed.taxonomy, min_topics=parsed.min_topics, training=parsed.training, **fields)


def _parse_container(data: bytes, path: str) -> tuple[RawHeader, Arrays]:
    """The header that tagger writes, and the arrays of a safetensors file."""
    begin = 8 + int.from_bytes(data[:8], "little")  # where the arrays begin
    if len(data) < 8 or begin > _MAX_HEADER or data[8:9] != b"{":
        raise file_error(path, "it does not begin like a safetensors file")
    if len(data) < begin:
        raise ModelError(f"{path}: the file is cut off: it has {len(data)} bytes, and its header alone needs {begin}")
    try:
        descriptions = json.loads(data[8:begin])
        header = json.loads(descriptions.pop("__metadata__")["tagger"])
        header["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise file_error(path, "its header is not one that tagger writes") from None
    try:
        arrays, end = _parse_arrays(descriptions, data, begin)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise file_error(path, "its header does not describe its arrays") from None
    if end != len(data):
        raise ModelError(f"{path}: the file is damaged: it has {len(data)} bytes, and its header describes {end}")
    return header, arrays


def _parse_arrays(descriptions: dict[str, Any], data: bytes, begin: int) -> tuple[Arrays, int]:
    """The arrays of a safetensors file, as far as they are not cut off, and where the last one ends.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OverflowError: if the descriptions are not of arrays end to end.
    """
    arrays: Arrays = {}
    end = begin
    for name, described in sorted(descriptions.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape = np.dtype(_DTYPES[described["dtype"]]), described["shape"]
        start, stop = (begin + offset for offset in described["data_offsets"])
        n_values = math.prod(shape)
        if start != end or stop - start != n_values * dtype.itemsize or any(length < 0 for length in shape):
            raise ValueError
        if stop <= len(data):
            arrays[name] = np.frombuffer(data, dtype, n_values, start).reshape(shape)
        end = stop
    return arrays, end


def _upgrade(header: RawHeader, arrays: Arrays, path: str) -> None:
    """Turn header and arrays of an old format into those of today's, in place."""
    number = header.pop("format")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= FORMAT:
        raise ModelError(
            f"{path}: this is model format {shorten(number)}, and tagger knows 1 to {FORMAT}; install a newer tagger"
        )
    for old in range(number, FORMAT):
        try:
            _UPGRADES[old](header, arrays)
        except (KeyError, TypeError, ValueError):
            raise file_error(path, f"something is missing that format {old} has") from None


def _upgrade_from_1(header: RawHeader, arrays: Arrays) -> None:
    weights = arrays.pop("weights")
    if weights.ndim != 2:
        raise ValueError
    arrays.update(compress_weights(weights))
    header["fewest"] = 0


_UPGRADES: dict[int, Callable[[RawHeader, Arrays], None]] = {1: _upgrade_from_1}


def _check_shapes(arrays: Arrays, n_topics: int, path: str) -> None:
    """Check that every array is there, with the type and the shape that it must have."""
    lengths = {"topics": n_topics, "letters": ID_LENGTH}
    for name, (dtype, sizes) in _ARRAYS.items():
        array = arrays.get(name)
        if array is None:
            raise file_error(path, f"it has no array {name!r}")
        wanted = np.dtype(_DTYPES[dtype])
        if array.dtype != wanted:
            raise file_error(path, f"its array {name!r} is of {array.dtype}, wanted {wanted}")
        if array.ndim != len(sizes):
            raise file_error(path, f"its array {name!r} has the shape {array.shape}, wanted ({', '.join(sizes)})")
        for size, length in zip(sizes, array.shape, strict=True):
            if lengths.setdefault(size, length) != length:
                raise file_error(path, f"its array {name!r} has {length} {size}, wanted {lengths[size]}")


def _check_values(arrays: Arrays, path: str) -> None:
    """Check that every number is one that training can give."""
    bias, thresholds = arrays["bias"], arrays["thresholds"]
    ranges = {  # array -> its values and the range that they must be in; a topic that is not learned has infinite ones
        "idf": (arrays["idf"], 0.0, _MAX_WEIGHT),
        "weights": (arrays["weights"], -_MAX_WEIGHT, _MAX_WEIGHT),
        "bias": (bias[bias != -np.inf], -_MAX_WEIGHT, _MAX_WEIGHT),
        "thresholds": (thresholds[thresholds != np.inf], 0.0, 1.0),
    }
    for name, (values, low, high) in ranges.items():
        outside = values[~((values >= low) & (values <= high))]  # so also what is not a number
        if len(outside):
            raise file_error(path, f"its array {name!r} holds {outside[0]:g}, wanted numbers from {low:g} to {high:g}")


def _check_weight_rows(arrays: Arrays, n_topics: int, path: str) -> None:
    """Check that the weights are in compressed sparse rows: a row for each term, in columns of topics."""
    starts, n_terms = arrays["weight_starts"], len(arrays["hashes"])
    if len(starts) != n_terms + 1:
        raise file_error(
            path, f"its array 'weight_starts' has {len(starts)} numbers, wanted {n_terms + 1} for its {n_terms} terms"
        )
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any() or starts[-1] != len(arrays["weights"]):
        raise file_error(path, "its array 'weight_starts' does not split the weights into rows, one for each term")
    if (arrays["weight_topics"] >= n_topics).any():
        raise file_error(path, f"its array 'weight_topics' names a column beyond its {n_topics} topics")


def _check_vocabulary(arrays: Arrays, path: str) -> None:
    """Check that there is a text for each term."""
    n_terms = len(arrays["hashes"])
    n_texts = bytes(arrays["written"]).count(b"\n") + 1 if n_terms else 0
    if n_texts != n_terms:
        raise file_error(path, f"it has {n_terms} terms and the texts of {n_texts}")
