"""How long `tag` and `tagger --help` take as whole processes, against what they cannot do without.

usage: python bench/startup.py [--runs N]

All are started in turn N times, in an empty folder, and medians are compared:
- `tag` on a listing of 25 entries, as installed beside the Python that runs this, against `python -c "import numpy"`
  and against a Python that loads the exported pipeline with joblib and tags the same entries' texts with it;
- `tagger --help` against `python -c "import typer"`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tagger
from tagger.formats import pasted
from tagger.formats.registry import read_files
from tagger.model.sklearn_export import save_pipeline
from tagger.text.normalize import entry_text

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT.parent / "shared" / "listing" / "sample.txt"
PAIRS = (("tag", "import numpy"), ("tag", "scikit-learn with joblib"), ("tagger --help", "import typer"))
SKLEARN = "import joblib, sys; p = joblib.load(sys.argv[1]); print(p.predict(open(sys.argv[2]).read().split('\\0')).sum())"


def seconds(command: list[str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    entries = read_files([SAMPLE], 2026).entries if SAMPLE.exists() else ()
    if not entries:
        print("the 25 entries of ../shared are not here; 25 of labels/ instead")
        entries = read_files([ROOT / "labels/entries/retrieval.txt"]).entries[:25]
    with tempfile.TemporaryDirectory() as folder:
        listing, texts, pipeline = (Path(folder) / name for name in ("listing.txt", "texts", "pipeline.joblib"))
        listing.write_text(pasted.write_pasted(entries), encoding="utf-8")
        texts.write_text("\0".join(map(entry_text, entries)), encoding="utf-8")
        save_pipeline(tagger.load(), pipeline)
        commands = Path(sys.executable).parent
        ways = {
            "tag": [str(commands / "tag"), str(listing)],
            "import numpy": [sys.executable, "-c", "import numpy"],
            "scikit-learn with joblib": [sys.executable, "-c", SKLEARN, str(pipeline), str(texts)],
            "tagger --help": [str(commands / "tagger"), "--help"],
            "import typer": [sys.executable, "-c", "import typer"],
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs + 1):
            for name, command in ways.items():
                taken[name].append(seconds(command, folder))
    median = {name: statistics.median(times[1:]) for name, times in taken.items()}  # the first run warms the disk's cache
    print("| whole process | median ms | against | ratio |\n|---|---|---|---|")
    for name, peer in PAIRS:
        print(
            f"| {name} | {1000 * median[name]:.0f} | {peer}, {1000 * median[peer]:.0f} ms | {median[name] / median[peer]:.2f} |"
        )


if __name__ == "__main__":
    main()
