"""How long `tagger batch` takes as a whole process: everything, nothing to do, one entry to do.

usage: python bench/batch.py [--data FOLDER] [--runs N]

The 2,000 entries of FOLDER/listing/rendered.txt (FOLDER is ../shared; without it those of labels/) are split into 50 files
in a temporary folder. Timed in turn, N times: a run into a new folder, a run with nothing changed, a run after one entry of
one file has changed, and `python -c "import numpy"`, against whose median theirs are put.

Then the model is retrained after one yes of every hundredth labelled entry was made unsure, and what that changes is counted:
entries with other topics, lines of the batch's CSV, lines of the CSV of `tag` with its four digits and its notes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tagger import load
from tagger.batch.diff import diff_runs
from tagger.batch.plan import plan_batch
from tagger.batch.settings import BatchSettings
from tagger.entry import Entry
from tagger.formats import pasted
from tagger.formats.csv_table import write_csv
from tagger.formats.format import WriteOptions
from tagger.formats.registry import read_files
from tagger.labels.dataset import read_labels
from tagger.model.storage import save_model
from tagger.training import settings
from tagger.workspace.retrain import train_from_labels

ROOT = Path(__file__).parent.parent
N_FILES = 50


def seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    return time.perf_counter() - start


def steadiness(folder: Path, entries: Sequence[Entry]) -> str:
    """What one retraining changes, counted three ways."""
    labels = read_labels(ROOT / "labels")
    rows = [
        replace(row, topics=row.topics[1:], unsure=(*row.unsure, row.topics[0])) if n % 100 == 0 and row.topics else row
        for n, row in enumerate(labels.rows)
    ]
    models = [ROOT / "models" / "topics.safetensors", folder / "later.safetensors"]
    save_model(train_from_labels(replace(labels, rows=tuple(rows)), settings.Settings(), n_jobs=1), models[1])
    plain, lines = [], []
    for n, path in enumerate(models):
        out = folder / f"run{n}"
        plan_batch([str(folder / "lists")], out, BatchSettings(model=path)).write()
        lines.append([line for file in sorted(out.glob("*.csv")) for line in file.read_text(encoding="utf-8").splitlines()])
        model = load(path)
        plain.append(write_csv(model.tag(entries), WriteOptions()).splitlines())
    differ = [sum(old != new for old, new in zip(*pair, strict=True)) for pair in (lines, plain)]
    n_changed = diff_runs(folder / "run0", folder / "run1").count_entries("changed")
    n_labels = sum(old != new for old, new in zip(labels.rows, rows, strict=True))
    return (
        f"{n_labels} labels changed, of {len(entries)} entries: {n_changed} with other topics, "
        f"{differ[0]} lines of the batch changed, {differ[1]} of tag"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared", metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=15, metavar="N")
    given = parser.parse_args()
    rendered = given.data / "listing" / "rendered.txt"
    if not rendered.exists():
        print(f"{rendered} is not here; the entries of labels/ instead")
    entries = read_files([rendered] if rendered.exists() else sorted((ROOT / "labels/entries").glob("*.txt")), 2026).entries
    command = [str(Path(sys.executable).parent / "tagger"), "batch", "lists", "-o", "out"]
    numpy = [sys.executable, "-c", "import numpy"]
    taken: dict[str, list[float]] = {"import numpy": [], "full run": [], "nothing changed": [], "one entry changed": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists").mkdir()
        for n in range(N_FILES):
            (folder / f"lists/{n:02}.txt").write_text(pasted.write_pasted(entries[n::N_FILES]), encoding="utf-8")
        changing = folder / "lists/07.txt"
        text = changing.read_text(encoding="utf-8").rstrip("\n")
        for run in range(given.runs + 1):
            shutil.rmtree(folder / "out", ignore_errors=True)
            taken["full run"].append(seconds(command, folder))
            taken["nothing changed"].append(seconds(command, folder))
            changing.write_text(f"{text} Once more, {run} times.\n", encoding="utf-8")
            taken["one entry changed"].append(seconds(command, folder))
            taken["import numpy"].append(seconds(numpy, folder))
        steady = steadiness(folder, entries)
    print(f"{len(entries)} entries in {N_FILES} files\n")
    print("| whole process | median ms | against import numpy |\n|---|---|---|")
    median = {what: statistics.median(times[1:]) for what, times in taken.items()}  # the first run warms the disk's cache
    for what, value in median.items():
        print(f"| {what} | {1000 * value:.0f} | {value / median['import numpy']:.2f} |")
    print(f"\n{steady}")


if __name__ == "__main__":
    main()
