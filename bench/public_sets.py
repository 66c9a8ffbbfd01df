"""The public data sets of texts with several labels: a folder each, with train.jsonl.gz and test.jsonl.gz."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

DATA = Path(__file__).parent.parent.parent / "shared" / "bench"


class PublicSet(NamedTuple):
    """The two halves of a data set."""

    train_texts: list[str]
    train_yes: Any  # (n_train_texts, n_labels)
    test_texts: list[str]
    test_yes: Any  # (n_test_texts, n_labels)


def load(folder: Path) -> PublicSet:
    """Read a data set: an object with `text` and `labels` a line."""
    halves = []
    for name in ("train", "test"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            halves.append([json.loads(line) for line in file])
    names = sorted({label for half in halves for record in half for label in record["labels"]})
    column = {name: n for n, name in enumerate(names)}
    train, test = halves
    train_yes, test_yes = (
        label_matrix([[column[label] for label in record["labels"]] for record in half], len(names)) for half in halves
    )
    return PublicSet([record["text"] for record in train], train_yes, [record["text"] for record in test], test_yes)


def label_matrix(columns: list[Any], n_labels: int) -> Any:
    """Booleans (n_texts, n_labels) from the columns of each text's labels."""
    yes = np.zeros((len(columns), n_labels), dtype=bool)
    for n, text_columns in enumerate(columns):
        yes[n, text_columns] = True
    return yes
