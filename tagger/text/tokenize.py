"""Texts -> words and bigrams, each as a 64-bit hash.

A word is a run of two or more letters, digits or underscores of the case-folded text. A bigram is a pair of words that
follow one another in a text. A term is a word or a bigram.

Python loops over texts and not over words, because there are hundreds of words in a text. Texts are handled in chunks. The
texts of a chunk are joined in one buffer of UTF-8, and numpy finds and hashes all words of the buffer at once.

The hash of a word reads the word eight bytes at a time. Each step adds the next eight bytes to a multiple of the hash so far
and mixes the sum with the finaliser of MurmurHash3 (A. Appleby, public domain). The hash of a bigram mixes the hashes of its
two words in the same way. The chance that any two of a million terms have the same hash is 3 in 10^8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHUNK_CHARACTERS", "Tokens", "tokenize"]

CHUNK_CHARACTERS = 1 << 16  # of text in a chunk: arrays of this length stay in the processor's cache

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C55)  # of the hash so far; any odd number will do

_LOW_BYTES = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)  # a mask for the lowest n bytes

# Whether each byte is a letter, a digit or an underscore. Of bytes above 127 the character decides; see `_mark_words`.
_IS_WORD = bytes(byte < 0x80 and (chr(byte).isalnum() or byte == ord("_")) for byte in range(256))

# How many bytes a character has, by its first byte in UTF-8.
_CHARACTER_WIDTH = np.array([1] * 0xC0 + [2] * 0x20 + [3] * 0x10 + [4] * 0x10, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The words and bigrams of a chunk of texts. A term is numbered by its place among the words followed by the bigrams."""

    buffer: bytes  # the case-folded texts in UTF-8, a zero byte before each
    starts: NDArray[np.int64]  # (n_words,) the first byte of each word in the buffer
    ends: NDArray[np.int64]  # (n_words,) the byte after its last one
    text_bounds: NDArray[np.int64]  # (n_texts + 1,) the words of text i are those from text_bounds[i] to text_bounds[i + 1]
    word_rows: NDArray[np.int64]  # (n_words,) the text that each word is in
    word_hashes: NDArray[np.uint64]  # (n_words,)
    bigram_words: NDArray[np.int64]  # (n_bigrams,) the first word of each bigram; the next word is its second
    bigram_hashes: NDArray[np.uint64]  # (n_bigrams,)

    @property
    def n_texts(self) -> int:
        """How many texts there are."""
        return len(self.text_bounds) - 1

    @property
    def term_hashes(self) -> NDArray[np.uint64]:
        """The hashes of the words, then those of the bigrams: (n_terms,)."""
        return np.concatenate([self.word_hashes, self.bigram_hashes])

    @property
    def term_rows(self) -> NDArray[np.int64]:
        """The text that each term is in: (n_terms,)."""
        return np.concatenate([self.word_rows, self.word_rows.take(self.bigram_words)])

    def words_of(self, term: int) -> tuple[int, int]:
        """The first and the last word of a term: one and the same for a word."""
        n_words = len(self.word_hashes)
        if term < n_words:
            return term, term
        first = int(self.bigram_words[term - n_words])
        return first, first + 1

    def term_text(self, term: int) -> str:
        """A term as text, case-folded; the words of a bigram are separated by a space."""
        first, last = self.words_of(term)
        return " ".join(self.buffer[self.starts[word] : self.ends[word]].decode() for word in range(first, last + 1))


def tokenize(texts: Iterable[str], chunk_characters: int = CHUNK_CHARACTERS) -> Iterator[Tokens]:
    """The words and bigrams of texts, one `Tokens` for each chunk of texts, in order.

    Args:
        texts: any number of texts; they are read as chunks are asked for.
        chunk_characters: a chunk ends with the text that brings it to this length.
    """
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text) + 1
        if size >= chunk_characters:
            yield _tokenize_chunk(chunk)
            chunk, size = [], 0
    if chunk:
        yield _tokenize_chunk(chunk)


def _tokenize_chunk(texts: list[str]) -> Tokens:
    encoded = _join_folded(texts)
    buffer = np.frombuffer(encoded, dtype=np.uint8)
    is_word = _mark_words(encoded, buffer)
    edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    several = ends - starts > _CHARACTER_WIDTH.take(buffer.take(starts))  # a word has two characters at least
    starts, ends = starts[several], ends[several]
    word_hashes = _hash_words(buffer, starts, ends)
    text_bounds = np.searchsorted(starts, np.flatnonzero(buffer == 0))
    word_rows = np.repeat(np.arange(len(texts)), np.diff(text_bounds))
    bigram_words = np.flatnonzero(word_rows[1:] == word_rows[:-1])
    bigram_hashes = _mix(word_hashes.take(bigram_words) * _MULTIPLIER + word_hashes.take(bigram_words + 1))
    return Tokens(encoded, starts, ends, text_bounds, word_rows, word_hashes, bigram_words, bigram_hashes)


def _join_folded(texts: list[str]) -> bytes:
    """The case-folded texts in UTF-8, a zero byte before each and one after the last."""
    # Folded one by one: most texts are ASCII, which is folded much faster.
    joined = "\0".join([text.casefold() for text in texts])
    if joined.count("\0") != len(texts) - 1:  # a text has a zero byte of its own
        joined = "\0".join([text.casefold().replace("\0", " ") for text in texts])
    # The spaces are for `_hash_words`, which reads eight bytes from the start of every word.
    return f"\0{joined}\0       ".encode("utf-8", "surrogatepass")


def _mark_words(encoded: bytes, buffer: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each byte belongs to a letter, a digit or an underscore: (n_bytes,)."""
    is_word = np.frombuffer(bytearray(encoded.translate(_IS_WORD)), dtype=bool)
    if not encoded.isascii():
        high = np.flatnonzero(buffer >= 0x80)
        characters = buffer[high].tobytes().decode("utf-8", "surrogatepass")
        widths = _CHARACTER_WIDTH[buffer[high[(buffer[high] & 0xC0) == 0xC0]]]
        is_word[high] = np.repeat([character.isalnum() for character in characters], widths)
    return is_word


def _hash_words(buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The hash of each word, (n_words,); the last eight bytes of a word are padded with zeros."""
    eight_bytes = np.ndarray(len(buffer) - 7, dtype="<u8", buffer=buffer, strides=(1,))  # those from each place on
    lengths = ends - starts
    hashes = _mix(eight_bytes[starts] & _LOW_BYTES.take(np.minimum(lengths, 8)))
    unfinished = np.flatnonzero(lengths > 8)
    n_read = 8
    while len(unfinished):
        n_left = np.minimum(lengths[unfinished] - n_read, 8)
        following = eight_bytes[starts[unfinished] + n_read] & _LOW_BYTES.take(n_left)
        hashes[unfinished] = _mix(hashes[unfinished] * _MULTIPLIER + following)
        n_read += 8
        unfinished = unfinished[lengths[unfinished] > n_read]
    return hashes


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes with every bit depending on all others; the array is changed in place."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes ^= hashes >> np.uint64(33)
        hashes *= np.uint64(factor)
    hashes ^= hashes >> np.uint64(33)
    return hashes
