"""`Model`: a few named arrays and a header; scores, tags and explains entries; is saved as safetensors.

Nothing here needs more than numpy. The file is a safetensors file (a length, a JSON header, arrays end to end), so
loading a stranger's model runs no code of theirs.

A later format gets its number in `FORMAT` and its step in `_STEPS`: a function that turns the header and arrays of the
number before into its own, so that every model ever saved can be loaded. Format 1 had all weights, also those that are 0;
format 2 has them in compressed sparse rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.atomic import write_whole
from tagger.entry import Entry
from tagger.errors import ModelError, UsageError
from tagger.labels.table import LabelRow
from tagger.model.decision import apply_thresholds, blocking_topics, raise_to_descendants
from tagger.tags import Reason, Tag, Tagged
from tagger.taxonomy import Topic, ancestors
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import entry_text
from tagger.text.positions import Position, find_positions
from tagger.text.tfidf import count_terms, tfidf_weights

__all__ = [
    "FORMAT",
    "Model",
    "in_rows",
    "load",
    "read_bytes",
]


FORMAT = 2


_NAME = "topics.safetensors"


_MANY, _DENSE = 64, 1 << 25  # from so many topics on, or of more weights with those that are 0, a sparse product is faster


_BLOCK = 1 << 20  # scores that are held at once


_DTYPES = {"F64": "<f8", "F32": "<f4", "U64": "<u8", "U32": "<u4", "U8": "|u1"}


_ARRAYS = {  # name -> (dtype, shape); a letter is a size that must be the same wherever it stands
    "hashes": ("U64", ("terms",)),
    "weight_starts": ("U64", ("terms and one",)),
    "bias": ("F64", ("topics",)),
    "thresholds": ("F64", ("topics",)),
    "idf": ("F32", ("terms",)),
    "weight_topics": ("U32", ("weights",)),
    "weights": ("F32", ("weights",)),
    "held_out": ("U8", ("entries", "topics")),
    "held_out_ids": ("U8", ("entries", "letters")),
    "written": ("U8", ("bytes",)),
}


@dataclass(frozen=True)
class Model:
    """A trained tagger.

    The score of topic t for an entry with TF-IDF row x is 1 / (1 + exp(-(x @ W[:, t] + bias[t]))). The weights W, (n_terms,
    n_topics), stand in compressed sparse rows: those of term j are `weights[weight_starts[j]:weight_starts[j + 1]]`, for the
    topics in `weight_topics` at the same places. Calibration is folded into weights and bias.

    `held_out` keeps what was tagged, in cross-validation, for each labelled entry by a model that had not seen it, so that
    the next model can be compared with this one honestly.
    """

    topics: tuple[Topic, ...]
    hashes: NDArray[np.uint64]  # (n_terms,), ascending
    written: NDArray[np.uint8]  # the terms as text, a line each, UTF-8
    idf: NDArray[np.float32]  # (n_terms,)
    weight_starts: NDArray[np.uint64]  # (n_terms + 1,)
    weight_topics: NDArray[np.uint32]  # (n_weights,)
    weights: NDArray[np.float32]  # (n_weights,)
    bias: NDArray[np.float64]  # (n_topics,); -inf for a topic that could not be learned
    thresholds: NDArray[np.float64]  # (n_topics,); inf for a topic that could not be learned
    held_out: NDArray[np.uint8]  # (n_labelled, n_topics), 0 or 1
    held_out_ids: NDArray[np.uint8]  # (n_labelled, 8), ASCII
    min_topics: int = 0  # 1 to tag the best topic of an entry in any case
    max_topics: int | None = None  # how many topics an entry has at most, those implied among them; None for any number
    about: dict[str, Any] = field(default_factory=dict)
    shown: tuple[int, ...] | None = None  # columns of the topics to show; None for all

    @cached_property
    def terms(self) -> list[str]:
        """The terms as text: (n_terms,)."""
        return self.written.tobytes().decode(errors="replace").split("\n") if len(self.hashes) else []

    @cached_property
    def hash(self) -> str:
        """A hash of the model file's bytes: `b2sum -l 128` of the file gives it too."""
        return blake2b(self.to_bytes(), digest_size=16).hexdigest()

    @cached_property
    def _terms(self) -> HashedVocabulary:
        return HashedVocabulary(self.hashes)

    @cached_property
    def _idf(self) -> NDArray[np.float64]:
        return self.idf.astype(np.float64)

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Starts, columns and weights in the width to reckon with."""
        return self.weight_starts.astype(np.int64), self.weight_topics.astype(np.int64), self.weights.astype(np.float64)

    @cached_property
    def full_weights(self) -> NDArray[np.float64]:
        """All weights, those that are 0 too: (n_terms, n_topics)."""
        starts, columns, weights = self._rows
        full = np.zeros((len(self.hashes), len(self.topics)))
        full[np.repeat(np.arange(len(full)), np.diff(starts)), columns] = weights
        return full

    def scores(self, entries: Iterable[Entry]) -> NDArray[np.float64]:
        """(n_entries, n_topics): for each topic the probability that it applies."""
        return self.score_texts(entry_text(entry) for entry in entries)

    def score_texts(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """As `scores`, of texts as `tagger.text.normalize.entry_text` makes them."""
        return np.concatenate([*self.iterate_scores(texts), np.zeros((0, len(self.topics)))])

    def iterate_scores(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        """As `score_texts`, a block of texts at a time, so that many topics never fill the memory."""
        return (scores for scores, _, _ in self._scored(texts))

    def predict(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which topics entries with these scores are tagged with, (n_entries, n_topics) both; see `tagger.model.decision`."""
        return apply_thresholds(scores, self.thresholds, self.topics, self.min_topics, self.max_topics)

    def tag(
        self,
        entries: Sequence[Entry],
        hand: Mapping[str, LabelRow] | None = None,
        hand_topics: Sequence[Topic] = (),
        all_scores: bool = False,
    ) -> list[Tagged]:
        """The topics of each entry, best first.

        Args:
            entries: what to tag.
            hand: rows of labels by entry id; an entry among them gets those topics instead of the model's.
            hand_topics: the topics that the rows use, where the model does not have them all.
            all_scores: whether to keep the scores of all topics.
        """
        named = {topic.id: topic for topic in (*self.topics, *hand_topics)}
        above = ancestors(tuple(named.values()))
        shown = None if self.shown is None else {self.topics[t].id for t in self.shown}
        results: list[Tagged] = []
        for scores, known, words in self._scored(entry_text(entry) for entry in entries):
            yes = self.predict(scores)
            for n, entry in enumerate(entries[len(results) : len(results) + len(scores)]):
                if hand is not None and (row := hand.get(entry.id)) is not None:
                    said = dict.fromkeys(up for topic in row.topics for up in (topic, *above.get(topic, ())))
                    tags = tuple(Tag(named.get(id, Topic(id, id)), None, "hand") for id in said if shown is None or id in shown)
                    note = None if tags else f"labelled by hand as having no{' such' if said else ''} topic"
                    results.append(Tagged(entry, tags, note=note, by="hand"))
                else:
                    results.append(self._tagged(entry, scores[n], yes[n], int(known[n]), int(words[n])))
                if all_scores:
                    results[-1] = replace(results[-1], scores=scores[n])
        return results

    def restricted_to(self, topics: Sequence[str]) -> Model:
        """The same model, which scores and decides as before and shows these topics alone.

        Raises:
            UsageError: if the model has no such topic.
        """
        return replace(self, shown=tuple(self.column(topic) for topic in dict.fromkeys(topics)))

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns of the topics that are shown."""
        return tuple(range(len(self.topics))) if self.shown is None else self.shown

    def column(self, topic: str) -> int:
        """The column of a topic.

        Raises:
            UsageError: if the model has no such topic.
        """
        ids = [known.id for known in self.topics]
        if topic not in ids:
            raise UsageError(f"unknown topic {topic!r}; this model has {', '.join(ids)}")
        return ids.index(topic)

    def why(self, entry: Entry, topic: str) -> list[Reason]:
        """The terms of an entry by what they did for a topic, strongest first.

        Their shares and the topic's bias add up to the log-odds of its own score, before that of a topic that implies it.

        Raises:
            UsageError: if the model has no such topic.
        """
        column = self.column(topic)
        (counts,) = count_terms([entry_text(entry)], self._terms)
        starts, columns, weights = self._rows
        mine = np.concatenate([np.arange(starts[term], starts[term + 1]) for term in counts.terms] or [np.zeros(0, np.int64)])
        owners = np.repeat(np.arange(len(counts.terms)), np.diff(starts)[counts.terms])
        mine, owners = mine[columns[mine] == column], owners[columns[mine] == column]
        shares = np.zeros(len(counts.terms))
        shares[owners] = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)[owners] * weights[mine]
        order = sorted(range(len(shares)), key=lambda n: (-abs(shares[n]), self.terms[counts.terms[n]]))
        return [Reason(self.terms[counts.terms[n]], float(shares[n])) for n in order if shares[n]]

    def places(self, entry: Entry) -> dict[str, list[Position]]:
        """Where each known term of an entry stands in its title and abstract; see `find_positions`."""
        return {self.terms[term]: there for term, there in find_positions(entry, self._terms).items()}

    def save(self, path: Path) -> None:
        """Write the model file, whole or not at all.

        Raises:
            OutputError: if it cannot be written.
        """
        write_whole(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The model file's bytes: the same model gives the same bytes."""
        header: dict[str, Any] = {
            "__metadata__": {
                "tagger": json.dumps(
                    {
                        "format": FORMAT,
                        "fewest": self.min_topics,
                        **({} if self.max_topics is None else {"at_most": self.max_topics}),
                        "topics": [_described(topic) for topic in self.topics],
                        **self.about,
                    },
                    ensure_ascii=False,
                )
            }
        }
        parts: list[bytes] = []
        end = 0
        for name, (dtype, _) in _ARRAYS.items():
            array = np.ascontiguousarray(getattr(self, name), dtype=_DTYPES[dtype])
            parts.append(array.tobytes())
            header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [end, end + len(parts[-1])]}
            end += len(parts[-1])
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return b"".join([len(text).to_bytes(8, "little"), text, *parts])

    @classmethod
    def from_bytes(cls, data: bytes, path: str) -> Model:
        """The model in a file's bytes, checked before use.

        Raises:
            ModelError: if the bytes are torn, foreign, or of a format that this version does not know.
        """
        about, arrays = _parse(data, path)
        found = about.pop("format", None)
        if not isinstance(found, int) or not 1 <= found <= FORMAT:
            raise ModelError(f"{path}: this is model format {found!r}, and tagger knows 1 to {FORMAT}; install a newer tagger")
        for number in range(found, FORMAT):
            try:
                _STEPS[number](about, arrays)
            except (KeyError, TypeError, ValueError):
                raise _foreign(path, f"it does not have what format {number} has") from None
        try:
            topics = tuple(Topic(**topic) for topic in about.pop("topics"))
        except (KeyError, TypeError, AttributeError):
            raise _foreign(path, "its header names no topics") from None
        if len({topic.id for topic in topics if isinstance(topic.id, str)}) != len(topics):
            raise _foreign(path, "its header names topics without an id of their own")
        if not all(isinstance(other, str) for topic in topics for other in topic.excludes):
            raise _foreign(path, "its header names topics that exclude what is none")
        if not all(topic.precision is None or isinstance(topic.precision, float) for topic in topics):
            raise _foreign(path, "its header asks for a precision that is none")
        if not isinstance(about.get("usual_share", 0), (int, float)):
            raise _foreign(path, "its header's usual_share is no number")
        if (min_topics := about.pop("fewest", None)) not in (0, 1):
            raise _foreign(path, "its header says of no number of topics that an entry has at least")
        max_topics = about.pop("at_most", None)
        if max_topics is not None and (not isinstance(max_topics, int) or isinstance(max_topics, bool) or max_topics < 1):
            raise _foreign(path, "its header says of no number of topics that an entry has at most")
        sizes: dict[str, int] = {"topics": len(topics), "letters": 8}
        for name, (dtype, shape) in _ARRAYS.items():
            array = arrays.get(name)
            if array is None or array.dtype != np.dtype(_DTYPES[dtype]) or array.ndim != len(shape):
                raise _foreign(path, f"its array {name!r} is missing or of another kind")
            for size, length in zip(shape, array.shape, strict=True):
                if sizes.setdefault(size, length) != length:
                    raise _foreign(path, f"its array {name!r} has {length} {size}, wanted {sizes[size]}")
        finite = np.isfinite(arrays["weights"]).all() and np.isfinite(arrays["idf"]).all()
        if not finite or np.isnan(arrays["bias"]).any() or np.isnan(arrays["thresholds"]).any():
            raise _foreign(path, "it holds weights that are no numbers")
        starts = arrays["weight_starts"]
        if (
            sizes["terms and one"] != sizes["terms"] + 1
            or starts[0] != 0
            or (starts[1:] < starts[:-1]).any()
            or starts[-1] != sizes["weights"]
            or arrays["weight_topics"].max(initial=0) >= max(1, len(topics))
        ):
            raise _foreign(path, "its weights are not in rows of terms and columns of topics")
        if sizes["terms"] and bytes(arrays["written"]).count(b"\n") != sizes["terms"] - 1:
            raise _foreign(path, "its terms and their texts differ in number")
        known: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return cls(topics=topics, min_topics=min_topics, max_topics=max_topics, about=about, **known)

    def _scored(self, texts: Iterable[str]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]]:
        """Block by block: scores (n, n_topics), known words (n,), all words (n,)."""
        most = max(1, _BLOCK // max(1, len(self.topics)))
        for counts in count_terms(texts, self._terms):
            values = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)
            for first in range(0, len(counts.known), most):
                rows = slice(first, min(first + most, len(counts.known)))
                starts = counts.starts[first : rows.stop + 1]
                part = slice(starts[0], starts[-1])
                logits = self._sums(starts - starts[0], counts.terms[part], values[part])
                logits += self.bias
                yield raise_to_descendants(1 / (1 + np.exp(-logits)), self.topics), counts.known[rows], counts.words[rows]

    def _sums(
        self, rows: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Compressed sparse rows, as in `TermCounts`, times the weights: (n, n_topics)."""
        sums = np.zeros((len(rows) - 1, len(self.topics)))
        if sums.size == 0 or len(terms) == 0:
            return sums
        if len(self.topics) < _MANY and len(self.hashes) * len(self.topics) <= _DENSE:
            shares = self.full_weights.take(terms, axis=0)
            shares *= values[:, None]
            filled = np.flatnonzero(np.diff(rows))
            sums[filled] = np.add.reduceat(shares, rows[filled], axis=0)
            return sums
        # With many topics it takes a fraction of numpy's time, which is worth its import.
        from scipy.sparse import csr_array

        x = csr_array((values, terms, rows), shape=(len(sums), len(self.hashes)))
        starts, columns, weights = self._rows
        return np.asarray((x @ csr_array((weights, columns, starts), shape=(len(self.hashes), len(self.topics)))).toarray())

    def _tagged(self, entry: Entry, scores: NDArray[np.float64], yes: NDArray[np.bool_], known: int, words: int) -> Tagged:
        columns = np.array(self.columns, dtype=np.int64)
        found = columns[yes[columns]]
        if len(found):
            order = found[np.argsort(-scores[found], kind="stable")]
            return Tagged(entry, tuple(Tag(self.topics[t], float(scores[t]), "model") for t in order))
        if not known:
            return Tagged(entry, (), note="no topic: no word of it is known")
        if not np.isfinite(self.thresholds[columns]).any():
            return Tagged(entry, (), note="no topic: the model has learned none of them")
        near = int(columns[(self.thresholds[columns] - scores[columns]).argmin()])
        if known / words < self.about.get("usual_share", 0) and (scores < self.thresholds / 2).all():
            note = (
                f"unlike the labelled entries: {known / words:.0%} of its words are known, and no topic is near its threshold"
            )
        elif scores[near] >= self.thresholds[near]:
            others = ", ".join(self.topics[t].name for t in blocking_topics(near, yes, self.topics))
            note = f"no such topic: {self.topics[near].name} gives way to {others}"
        else:
            digits = 2 if f"{scores[near]:.2f}" != f"{self.thresholds[near]:.2f}" else 4
            note = (
                f"no topic: nearest is {self.topics[near].name}, {scores[near]:.{digits}f} "
                f"with the threshold at {self.thresholds[near]:.{digits}f}"
            )
        return Tagged(entry, (), note=note, nearest=self.topics[near])


def load(path: str | Path | None = None) -> Model:
    """A model from a file; by default the one shipped with the package.

    Raises:
        ModelError: if there is no file, or it is not a model that this version can use.
    """
    return Model.from_bytes(*read_bytes(path))


def read_bytes(path: str | Path | None = None) -> tuple[bytes, str]:
    """The bytes of a model file, by default of the one shipped, and its path, as `Model.from_bytes` wants them.

    Raises:
        ModelError: if there is no file.
    """
    if path is None:
        shipped = resources.files("tagger") / "models" / _NAME
        # In a checkout the model stands beside the package, not inside it.
        source = shipped if shipped.is_file() else Path(__file__).parent.parent.parent / "models" / _NAME
        path = str(source)
    else:
        source = Path(path)
    try:
        return source.read_bytes(), str(path)
    except OSError as error:
        raise ModelError(f"{path}: no model can be read: {error.strerror}; 'tagger retrain' makes one") from None


def in_rows(full: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """A full array of weights, (n_terms, n_topics), in the three arrays of a `Model`."""
    there = full != 0
    return {
        "weight_starts": np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.uint64),
        "weight_topics": np.nonzero(there)[1].astype(np.uint32),
        "weights": full[there].astype(np.float32),
    }


def _described(topic: Topic) -> dict[str, Any]:
    """A topic as the header has it; what is not said of it is not there."""
    described: dict[str, Any] = {"id": topic.id, "name": topic.name, "definition": topic.definition, "parent": topic.parent}
    described |= {"excludes": list(topic.excludes)} if topic.excludes else {}
    return described | ({} if topic.precision is None else {"precision": topic.precision})


def _to_2(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    full = arrays.pop("weights")
    if full.ndim != 2:
        raise ValueError
    arrays.update(in_rows(full))
    about["fewest"] = 0


_STEPS: dict[int, Callable[[dict[str, Any], dict[str, NDArray[Any]]], None]] = {1: _to_2}


def _foreign(path: str, why: str) -> ModelError:
    return ModelError(f"{path}: not a tagger model: {why}; 'tagger retrain' makes one")


def _parse(data: bytes, path: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and arrays of a safetensors file."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > 100_000_000 or data[8:9] != b"{":
        raise _foreign(path, "it does not begin like a safetensors file")
    if len(data) < 8 + length:
        raise ModelError(f"{path}: the file is cut off: {len(data)} bytes, the header alone has {8 + length}")
    try:
        header = json.loads(data[8 : 8 + length])
        about = json.loads(header.pop("__metadata__")["tagger"])
        about["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _foreign(path, "its header is not one that tagger writes") from None
    arrays: dict[str, NDArray[Any]] = {}
    end = 0
    try:
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape, (start, stop) = np.dtype(_DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
            size = int(np.prod(shape, dtype=object)) * dtype.itemsize if shape else dtype.itemsize
            if start != end or stop - start != size or any(side < 0 for side in shape):
                raise ValueError
            end = stop
            if 8 + length + stop <= len(data):
                arrays[name] = np.frombuffer(data, dtype, size // dtype.itemsize, 8 + length + start).reshape(shape)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _foreign(path, "its header describes no arrays") from None
    if 8 + length + end != len(data):
        raise ModelError(f"{path}: the file is torn: {len(data)} bytes, its header wants {8 + length + end}")
    return about, arrays
