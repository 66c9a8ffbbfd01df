"""How long `tagger batch` takes as a whole process: everything, nothing to do, one entry to do.

usage: python bench/batch.py [--data FOLDER] [--runs N]

The 2,000 entries of FOLDER/listing/rendered.txt (FOLDER is ../shared; without it those of labels/) are split into 50 files
in a temporary folder. Timed in turn, N times: a run into a new folder, a run with nothing changed, a run after one entry of
one file has changed, and `python -c "import numpy"`, against whose median theirs are put.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tagger.listing import pasted, read_files

ROOT = Path(__file__).parent.parent
N_FILES = 50


def seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared", metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=15, metavar="N")
    given = parser.parse_args()
    rendered = given.data / "listing" / "rendered.txt"
    if not rendered.exists():
        print(f"{rendered} is not here; the entries of labels/ instead")
    entries = read_files([rendered] if rendered.exists() else sorted((ROOT / "labels/entries").glob("*.txt")), 2026).entries
    batch = [str(Path(sys.executable).parent / "tagger"), "batch", "lists", "-o"]
    numpy = [sys.executable, "-c", "import numpy"]
    taken: dict[str, list[float]] = {"import numpy": [], "full run": [], "nothing changed": [], "one entry changed": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lists").mkdir()
        for n in range(N_FILES):
            (folder / f"lists/{n:02}.txt").write_text(pasted.write(entries[n::N_FILES]), encoding="utf-8")
        changing = folder / "lists/07.txt"
        text = changing.read_text(encoding="utf-8").rstrip("\n")
        for run in range(given.runs + 1):
            shutil.rmtree(folder / "out", ignore_errors=True)
            taken["full run"].append(seconds([*batch, "out"], folder))
            taken["nothing changed"].append(seconds([*batch, "out"], folder))
            changing.write_text(f"{text} Once more, {run} times.\n", encoding="utf-8")
            taken["one entry changed"].append(seconds([*batch, "out"], folder))
            taken["import numpy"].append(seconds(numpy, folder))
    print(f"{len(entries)} entries in {N_FILES} files\n")
    print("| whole process | median ms | against import numpy |\n|---|---|---|")
    median = {what: statistics.median(times[1:]) for what, times in taken.items()}  # the first run warms the disk's cache
    for what, value in median.items():
        print(f"| {what} | {1000 * value:.0f} | {value / median['import numpy']:.2f} |")


if __name__ == "__main__":
    main()
