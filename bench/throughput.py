"""How many texts a second are scored in process on one core: tagger against scikit-learn's pipeline.

usage: python bench/throughput.py [--runs N]

Both have the same vocabulary and weights (`tagger export`), and score the same texts: those of the 2,000 entries of
../shared/listing/rendered.txt, or of labels/ where that is not here. The runs alternate; medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tagger
from tagger.formats.registry import read_files
from tagger.model.sklearn_export import to_pipeline
from tagger.text.normalize import entry_text

ROOT = Path(__file__).parent.parent
RENDERED = ROOT.parent / "shared" / "listing" / "rendered.txt"


def timed(call: Callable[[], Any]) -> float:
    """The seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    files = [RENDERED] if RENDERED.exists() else sorted((ROOT / "labels" / "entries").glob("*.txt"))
    entries = read_files(files, 2026).entries
    model = tagger.load(ROOT / "models" / "topics.safetensors")
    pipeline = to_pipeline(model)
    texts = [entry_text(entry) for entry in entries]
    pipeline_scores = np.stack([probabilities[:, 1] for probabilities in pipeline.predict_proba(texts)], axis=1)
    difference = np.abs(model.score_texts(texts) - pipeline_scores).max()
    scorers = {"tagger": lambda: model.score_texts(texts), "scikit-learn": lambda: pipeline.predict_proba(texts)}
    seconds: dict[str, list[float]] = {name: [] for name in scorers}
    for _ in range(runs):
        for name, score in scorers.items():
            seconds[name].append(timed(score))
    median = {name: statistics.median(times) for name, times in seconds.items()}
    n_terms, n_topics = len(model.hashes), len(model.topics)
    print(f"{len(texts)} texts, {n_terms} terms, {n_topics} topics; scores differ by {difference:.0e} at most\n")
    print("| one core, in process | texts a second | tagger against it |\n|---|---|---|")
    for name, value in median.items():
        print(f"| {name} | {len(texts) / value:,.0f} | {value / median['tagger']:.2f} |")
    reading = timed(lambda: read_files(files, 2026))
    tagging = timed(lambda: model.tag(entries))
    print(f"\nentries a second: read {len(texts) / reading:,.0f}; tagged, with notes, {len(texts) / tagging:,.0f}")


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
