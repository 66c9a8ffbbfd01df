"""Texts -> words and pairs of neighbouring words, each as a 64-bit hash.

Tokens are runs of two or more word characters of the case-folded text; terms are words and pairs of neighbouring words.
All texts of a chunk stand in one buffer of bytes, words are found by comparing neighbours in a table of byte classes, and
all are hashed at once.

Hashing: a word is read eight bytes at a time. Each eight are added to a multiple of what came before and mixed with the
finaliser of MurmurHash3 (A. Appleby, public domain). The hash of a pair mixes those of its words. That any two of a
million terms share a 64-bit hash has a chance of 3 in 10^8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PRIME = np.uint64(0x9E3779B97F4A7C55)  # any odd number will do


_LOW = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)  # the lowest n bytes


_CHUNK = 1 << 16  # bytes of text handled at once: arrays of this length stay in the processor's cache


# For each byte, whether it is a letter, a digit or _ (of bytes above 127 it depends on the character, see `_words`).
_IS_WORD = bytes(byte < 0x80 and (chr(byte).isalnum() or byte == ord("_")) for byte in range(256))


# Bytes in a character, by its first byte (UTF-8).
_WIDTH = np.array([1] * 0xC0 + [2] * 0x20 + [3] * 0x10 + [4] * 0x10, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a chunk of texts, and the pairs of neighbours among them."""

    text: bytes
    starts: NDArray[np.int64]  # (n_words,) first byte of each word
    ends: NDArray[np.int64]  # (n_words,)
    bounds: NDArray[np.int64]  # (n_texts + 1,) the words of text i are bounds[i] to bounds[i + 1]
    rows: NDArray[np.int64]  # (n_words,) the text that each is in
    hashes: NDArray[np.uint64]  # (n_words,)
    lefts: NDArray[np.int64]  # (n_pairs,) the word that each pair begins with
    pairs: NDArray[np.uint64]  # (n_pairs,) hashes

    @property
    def n_texts(self) -> int:
        return len(self.bounds) - 1

    def written(self, term: int) -> str:
        """The term at a place of hashes followed by pairs."""
        n_words = len(self.hashes)
        word = term if term < n_words else int(self.lefts[term - n_words])
        return " ".join(
            self.text[self.starts[n] : self.ends[n]].decode() for n in ((word,) if term < n_words else (word, word + 1))
        )


def tokenize(texts: Iterable[str]) -> Iterator[Tokens]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text) + 1
        if size >= _CHUNK:
            yield _tokenize_chunk(chunk)
            chunk, size = [], 0
    if chunk:
        yield _tokenize_chunk(chunk)


def _tokenize_chunk(texts: list[str]) -> Tokens:
    # Folded one by one: most texts are ASCII, which is folded much faster.
    joined = "\0".join([text.casefold() for text in texts])
    if joined.count("\0") != len(texts) - 1:
        joined = "\0".join([text.casefold().replace("\0", " ") for text in texts])
    # No word stands less than eight bytes from the end, so that eight can be read from any place.
    text = f"\0{joined}\0       ".encode("utf-8", "surrogatepass")
    buffer = np.frombuffer(text, dtype=np.uint8)
    is_word = np.frombuffer(bytearray(text.translate(_IS_WORD)), dtype=bool)
    if not text.isascii():
        high = np.flatnonzero(buffer >= 0x80)
        letters = buffer[high].tobytes().decode("utf-8", "surrogatepass")
        widths = _WIDTH[buffer[high[(buffer[high] & 0xC0) == 0xC0]]]
        is_word[high] = np.repeat([letter.isalnum() for letter in letters], widths)

    edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    long = ends - starts > _WIDTH.take(buffer.take(starts))
    starts, ends = starts[long], ends[long]

    hashes = _hash_words(buffer, starts, ends)

    bounds = np.searchsorted(starts, np.flatnonzero(buffer == 0))
    rows = np.repeat(np.arange(len(texts)), np.diff(bounds))
    lefts = np.flatnonzero(rows[1:] == rows[:-1])
    pairs = _mix(hashes.take(lefts) * _PRIME + hashes.take(lefts + 1))
    return Tokens(text, starts, ends, bounds, rows, hashes, lefts, pairs)


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes, made over in place."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes ^= hashes >> np.uint64(33)
        hashes *= np.uint64(factor)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _hash_words(buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hash of each word: eight bytes after eight are added to what was and mixed, the last ones padded with zeros."""
    eights = np.ndarray(len(buffer) - 7, dtype="<u8", buffer=buffer, strides=(1,))
    length = ends - starts
    hashes = _mix(eights[starts] & _LOW.take(np.minimum(length, 8)))
    more = np.flatnonzero(length > 8)
    at = 8
    while len(more):
        hashes[more] = _mix(hashes[more] * _PRIME + (eights[starts[more] + at] & _LOW.take(np.minimum(length[more] - at, 8))))
        at += 8
        more = more[length[more] > at]
    return hashes
