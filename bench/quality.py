"""The training engine against known linear taggers on public data sets of texts with several labels.

usage: python bench/quality.py NAME... [--data DIR] [--methods PART,...] [--max-seconds N] [--json FILE...] [--svg FILE]

NAME is a folder of DIR (by default ../shared/bench) with train.jsonl.gz and test.jsonl.gz, an object with `text` and
`labels` a line. Every method gets the raw texts and label lists of the training half, chooses its settings inside it, and
scores the test half once. All are measured with the same functions, each in a process of its own, on one core. Intervals are
those of a bootstrap over test texts. Results are added to the first --json FILE, so that long runs can be done in parts;
without a NAME, what the FILEs hold is shown and drawn. bench/peers.py says what the methods are.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from peers import METHODS  # beside this script
from public_sets import DATA, label_matrix, load
from threadpoolctl import threadpool_limits

from tagger.evaluation import metrics

Result = dict[str, Any]


def ndcg(hits: Any, n_yes: Any) -> float:
    """Normalised discounted cumulated gain; a text without a label counts for nothing."""
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(n_yes, hits.shape[1])]
    return float(((hits * discount).sum(1)[ideal > 0] / ideal[ideal > 0]).mean())


def measure(name: str, folder: Path, send: Any) -> None:
    """Train and tag with one method, and send its result."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, whatever threads a method starts
    texts, yes, test, test_yes = load(folder)
    fit, needs = METHODS[name]
    warnings.filterwarnings("ignore", "Label not")  # scikit-learn, of a label without a text in a fold
    sys.path = [path for path in sys.path if path != str(Path(__file__).parent)]  # numba would find coverage.py here
    if needs:
        importlib.import_module(needs)  # before the clock starts, as for those imported above
    with threadpool_limits(limits=1):
        start = time.process_time()
        tag, size = fit(texts, yes)
        trained = time.process_time() - start
        start = time.process_time()
        scores, tagged = tag(test)
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    tagged = tagged if isinstance(tagged, np.ndarray) else label_matrix(tagged, test_yes.shape[1])
    best = scores if np.issubdtype(scores.dtype, np.integer) else np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(np.pad(test_yes, ((0, 0), (0, 1))), best[:, :5], axis=1)  # -1 is the last column, never a hit

    def counts(axis: int) -> metrics.ConfusionCounts:
        masks = test_yes & tagged, ~test_yes & tagged, test_yes & ~tagged
        return metrics.ConfusionCounts(*(mask.sum(axis, dtype=float) for mask in masks))

    by_text = counts(1)

    def micro_f1(rows: Any) -> float:
        return float(metrics.f1(metrics.ConfusionCounts(by_text.tp[rows], by_text.fp[rows], by_text.fn[rows]).sum()))

    low, high = metrics.bootstrap_interval(micro_f1, len(test), rounds=200)
    send.send(
        {
            "micro": float(metrics.f1(by_text.sum())),
            "low": low,
            "high": high,
            "macro": float(np.nan_to_num(metrics.f1(counts(0)))[test_yes.any(axis=0)].mean()),
            "p1": float(hits[:, :1].mean()),
            "p5": float(hits.mean()),
            "ndcg": ndcg(hits, test_yes.sum(1)),
            "train": trained,
            "rate": len(test) / seconds,
            "size": size / 1e6,
            "peak": peak,
        }
    )


def run(name: str, folder: Path, max_seconds: float | None) -> Result:
    """The result of one method in a process of its own, or that it took too long."""
    spawn = multiprocessing.get_context("spawn")
    receive, send = spawn.Pipe(duplex=False)
    process = spawn.Process(target=measure, args=(name, folder, send))
    process.start()
    send.close()
    if receive.poll(max_seconds):
        result = receive.recv()
    else:
        process.kill()
        result = {"over": max_seconds}
    process.join()
    return {"set": folder.name, "method": name, **result}


def heading(set_name: str) -> str:
    # Seconds of the processor: the same as by the clock on a core that is free, and not more on one that is not.
    columns = "| method | micro-F1 | macro-F1 | P@1 | P@5 | nDCG@5 | training s | texts/s | MB | peak MB |"
    return f"### {set_name}\n\n{columns}\n{'|---' * 10}|"


def line(result: Result) -> str:
    if "over" in result:
        return f"| {result['method']} | over {result['over']:.0f} s in all |{' |' * 8}"
    return (
        "| {method} | {micro:.3f} ({low:.3f}-{high:.3f}) | {macro:.3f} | {p1:.3f} | {p5:.3f} | {ndcg:.3f} | {train:.1f} "
        "| {rate:,.0f} | {size:.1f} | {peak:.0f} |"
    ).format(**result)


def draw(results: list[Result], path: Path) -> None:
    """Micro-F1 with its interval and macro-F1 of every method on every set, in greys and hues for any background."""
    import matplotlib
    from matplotlib.figure import Figure

    grey, micro, macro = "#7a7a7a", "#2f81c7", "#d9730d"
    style: dict[Any, Any] = {"svg.hashsalt": "tagger", "svg.fonttype": "none", "font.size": 9}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), grey)
    sets = list(dict.fromkeys(r["set"] for r in results))
    methods = [name for name in METHODS if any(r["method"] == name for r in results)][::-1]
    with matplotlib.rc_context(style):
        n_rows = -(-len(sets) // 2)
        figure = Figure(figsize=(9, 0.6 + n_rows * (0.7 + 0.24 * len(methods))), layout="constrained")
        for axes, set_name in zip(figure.subplots(n_rows, 2, squeeze=False, sharey=True).flat, sets, strict=False):
            for r in (r for r in results if r["set"] == set_name):
                at = methods.index(r["method"])
                if "over" in r:
                    axes.annotate(
                        f"over {r['over']:.0f} s", (0.02, at), xycoords=("axes fraction", "data"), va="center", size=7
                    )
                    continue
                whiskers = [[r["micro"] - r["low"]], [r["high"] - r["micro"]]]
                axes.errorbar(
                    r["micro"], at + 0.1, xerr=whiskers, fmt="o", color=micro, ms=5, capsize=2, label="micro-F1, 95% interval"
                )
                axes.plot(r["macro"], at - 0.25, "D", color=macro, ms=4, label="macro-F1")
            axes.set_title(set_name, fontsize=10)
            axes.set_yticks(range(len(methods)), methods)
            axes.set_ylim(-0.7, len(methods) - 0.4)
            axes.grid(color=grey, alpha=0.25, linewidth=0.5)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.patch.set_alpha(0)
        for axes in figure.axes[len(sets) :]:
            axes.set_visible(False)
        legend = {text: mark for axes in figure.axes for mark, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=2, frameon=False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR")
    parser.add_argument("--methods", metavar="PART,...", help="only methods with one of these in their name")
    parser.add_argument("--max-seconds", type=float, metavar="N", help="stop a method that takes longer, and say so")
    parser.add_argument("--json", type=Path, action="append", default=[], metavar="FILE", help="results: read, and kept")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the results")
    arguments = parser.parse_args()
    parts = (arguments.methods or "").lower().split(",")
    methods = [name for name in METHODS if any(part in name.lower() for part in parts)]
    results: dict[tuple[str, str], Result] = {}
    for file in arguments.json:
        if file.exists():
            results |= {(r["set"], r["method"]): r for r in json.loads(file.read_text())}
    for name in methods if arguments.names else []:
        if (needs := METHODS[name][1]) and not importlib.util.find_spec(needs.split(".")[0]):
            print(f"{name} is left out, as {needs.split('.')[0]} is not installed: pip install '.[bench]'")
            methods = [other for other in methods if other != name]
    for set_name in arguments.names:
        print(heading(set_name))
        for name in methods:
            results[set_name, name] = run(name, arguments.data / set_name, arguments.max_seconds)
            print(line(results[set_name, name]), flush=True)
            if arguments.json:
                arguments.json[0].write_text(json.dumps(list(results.values()), indent=1) + "\n")
        print()
    if not arguments.names:
        for set_name in dict.fromkeys(set_name for set_name, _ in results):
            print(heading(set_name))
            print(*(line(results[set_name, name]) for name in METHODS if (set_name, name) in results), "", sep="\n")
    if arguments.svg:
        draw(list(results.values()), arguments.svg)


if __name__ == "__main__":
    main()
