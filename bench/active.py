"""Which texts to label next: how many labels each way of choosing needs for the macro-F1 that random choice reaches.

usage: python bench/active.py [NAME...] [--seeds N] [--first N] [--held-out] [--data DIR] [--json FILE] [--svg FILE]

NAME is a folder of DIR (by default ../shared/bench) with train.jsonl.gz and test.jsonl.gz, an object with `text` and
`labels` a line. The 30 most frequent labels of the training half are used, and the texts that have one of them. For each seed
a pool of 2,000 texts is drawn from the training half and as many at most from the test half, to be scored. Labelling begins
with 5 texts a label, the same for every way, and goes on in batches of 75 chosen in the pool, whose labels are then looked up;
after each batch a model is trained and tags the texts to be scored. Random choice goes on to 800 texts, in batches of 150, the
others to 600. With --held-out the texts to be scored are a third of the training half, and the test half is not looked at:
ways were chosen so. Results are added to the --json FILE, so that long runs can be done in parts; without a NAME, what it
holds is shown and drawn.

Ways:

- uncertainty: the least distance of a score's log-odds from the threshold's, over topics.
- diversity: the text least like any labelled or chosen one, by the cosine of TF-IDF (farthest-first, as in O. Sener and S.
  Savarese, ICLR 2018).
- cardinality: the number of tags that differs most from the mean number of labels, then uncertainty (label cardinality
  inconsistency: X. Li and Y. Guo, "Active learning with multi-label SVM classification", IJCAI 2013; small-text has it too).
- tagger next: `tagger.curation.query.select_batch`, with the intervals of three-fold cross-validation.

Training chooses its settings itself (`SEARCHED_SETTINGS`); topics from two texts on, three folds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.isotonic import IsotonicRegression

from tagger.curation.query import build_pool, select_batch
from tagger.curation.stopping import measure_tag_agreement
from tagger.entry import Entry
from tagger.evaluation import metrics
from tagger.model.decision import apply_thresholds
from tagger.model.log_odds import logit
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.normalize import entry_text
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import SEARCHED_SETTINGS, Settings
from tagger.training.trainer import train

DATA = Path(__file__).parent.parent.parent / "shared" / "bench"
SETTINGS = replace(SEARCHED_SETTINGS, n_folds=3, min_positives=2)
FIRST = 5  # texts a label to begin with
N_LABELS, N_TEXTS = 30, 2000
BATCH, MOST = 75, 600
AT_RANDOM = {"batch": 150, "most": 800}
TARGETS = (400, 600, 800)  # labelled texts at random
WANTED = 0.6  # of these, at most
GROWTH, SAME = 1.1, 0.95  # as in `tagger.curation.stopping`
Way = Callable[["State", int], Any]
Result = dict[str, Any]


@dataclass(frozen=True)
class Texts:
    """A pool with its labels, and texts to score with theirs."""

    entries: list[Entry]
    yes: Any  # (n_entries, n_labels)
    likeness: Any  # (n_entries, n_entries): cosines of TF-IDF
    texts_to_score: list[str]
    truth: Any  # (n_scored, n_labels)


@dataclass(frozen=True)
class State:
    """What a way of choosing may look at."""

    model: Model
    entries: list[Entry]  # to choose from
    labelled: list[Entry]
    scores: Any  # (n_entries, n_labels)
    mean_labels: float  # of the labelled texts
    likeness: Any  # (n_entries, n_entries)
    likeness_labelled: Any  # (n_entries, n_labelled)
    random: np.random.Generator

    def distance(self) -> Any:
        """Of log-odds from the thresholds': (n_entries, n_labels)."""
        return np.abs(logit(self.scores) - logit(self.model.thresholds))


def by_lot(state: State, n_wanted: int) -> Any:
    return state.random.permutation(len(state.entries))[:n_wanted]


def uncertainty(state: State, n_wanted: int) -> Any:
    return np.argsort(state.distance().min(axis=1), kind="stable")[:n_wanted]


def diversity(state: State, n_wanted: int) -> Any:
    likeness, taken = state.likeness_labelled.max(axis=1), []
    for _ in range(n_wanted):
        taken.append(int(likeness.argmin()))
        likeness = np.maximum(likeness, state.likeness[taken[-1]])
        likeness[taken] = np.inf
    return taken


def cardinality(state: State, n_wanted: int) -> Any:
    n_tags = apply_thresholds(state.scores, state.model.thresholds).sum(axis=1)
    return np.lexsort((state.distance().min(axis=1), -np.abs(n_tags - state.mean_labels)))[:n_wanted]


def shipped(state: State, n_wanted: int) -> Any:
    pool = build_pool(state.model, state.labelled, state.entries)
    places = {id(one): n for n, one in enumerate(state.entries)}  # the pool leaves out repeated texts
    return [places[id(pool.entries[pick.entry])] for pick in select_batch(state.model, pool, n_wanted)]


WAYS: dict[str, Way] = {
    "random": by_lot,
    "uncertainty": uncertainty,
    "diversity": diversity,
    "cardinality": cardinality,
    "tagger next": shipped,
}


def read(folder: Path, seed: int, held_out: bool) -> Texts:
    """A pool and texts to score, drawn with a seed."""
    from public_sets import load  # beside this script

    texts, yes, test, truth = load(folder)
    often = np.sort(np.argsort(-yes.sum(axis=0), kind="stable")[:N_LABELS])
    yes, truth = yes[:, often], truth[:, often]
    random = np.random.default_rng([seed, len(often)])
    kept = random.permutation(np.flatnonzero(yes.any(axis=1)))
    if held_out:
        n_scored = min(N_TEXTS, len(kept) // 3)
        test, truth, scored, kept = texts, yes, kept[:n_scored], kept[n_scored:]
    else:
        scored = random.permutation(np.flatnonzero(truth.any(axis=1)))[:N_TEXTS]
    kept = kept[:N_TEXTS]
    entries = [entry(texts[n]) for n in kept]
    rows = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(map(entry_text, entries))
    return Texts(entries, yes[kept], (rows @ rows.T).toarray(), [entry_text(entry(test[n])) for n in scored], truth[scored])


def entry(text: str) -> Entry:
    """A text as an entry; its first twelve words, which count twice, are its title."""
    words = text.split()
    return Entry(" ".join(words[:12]), abstract=" ".join(words[12:]))


def first(yes: Any, random: np.random.Generator) -> list[int]:
    """Texts to begin with, such that each label, the rarest first, has `FIRST`."""
    taken: list[int] = []
    for t in np.argsort(yes.sum(axis=0), kind="stable"):
        missing = FIRST - int(yes[taken, t].sum())
        rest = np.setdiff1d(np.flatnonzero(yes[:, t]), taken)
        taken += random.permutation(rest)[: max(0, missing)].tolist()
    return taken


def fitted(texts: list[str], yes: Any, intervals: bool) -> Model:
    """A model, with the interval of F1 of each topic if wanted."""
    taxonomy = Taxonomy(tuple(Topic(f"t{n}", f"topic {n}") for n in range(yes.shape[1])))
    model, _ = train(texts, yes, None, taxonomy, SETTINGS, cross_validate=False)
    if not intervals:
        return model
    _, held_out = train(texts, yes, None, taxonomy, Settings.from_header(model.training.chosen_settings))
    return replace(model, training=replace(model.training, figures={"topics": f1_of(yes, held_out)}))


def f1_of(yes: Any, held_out: OutOfFold) -> dict[str, Any]:
    counts = metrics.count_cells(yes, np.ones_like(yes), held_out.tagged).sum(0)
    sides = np.nan_to_num(np.stack([metrics.f1(counts), *metrics.f1_interval(counts)], axis=1))
    return {f"t{n}": {"f1": side} for n, side in enumerate(sides.tolist())}


def curve(way: str, data: Texts, seed: int, batch: int = BATCH, most: int = MOST) -> Result:
    """Macro-F1 on the texts to score after each batch, and the share of the pool's tags that stayed since 10% fewer labels."""
    random = np.random.default_rng([seed, 1])
    chosen = first(data.yes, random)
    texts = [entry_text(one) for one in data.entries]
    points: list[tuple[int, float]] = []
    models: list[tuple[int, Model]] = []
    same: list[tuple[int, list[float | None]]] = []
    while True:
        model = fitted([texts[n] for n in chosen], data.yes[chosen], intervals=way == "tagger next")
        tagged = model.predict(model.score_texts(data.texts_to_score))
        points.append((len(chosen), metrics.macro_f1(data.truth, np.ones_like(data.truth), tagged)))
        if len(chosen) >= most:
            return {"points": points, "same": same}
        rest = np.setdiff1d(np.arange(len(texts)), chosen)
        left = [data.entries[n] for n in rest]
        before = [one for n, one in models if GROWTH * n <= len(chosen)]
        if way == "tagger next" and before:
            same.append((len(chosen), measure_tag_agreement(before[-1], model, left).to_json()))
        models.append((len(chosen), model))
        state = State(
            model,
            left,
            [data.entries[n] for n in chosen],
            model.score_texts([texts[n] for n in rest]),
            float(data.yes[chosen].sum(axis=1).mean()),
            data.likeness[np.ix_(rest, rest)],
            data.likeness[np.ix_(rest, chosen)],
            random,
        )
        picks = WAYS[way](state, min(batch, most - len(chosen)))
        if len(picks) == 0:
            return {"points": points, "same": same}
        chosen = chosen + [int(rest[n]) for n in picks]


def mean_curve(results: list[Result]) -> tuple[Any, Any]:
    """Numbers of labelled texts, from the most that any seed began with, and the mean macro-F1 there.

    Drawn monotone (isotonic regression): the mean of a few seeds has dips and peaks by chance, and a peak that is reached
    early is no saving.
    """
    low = max(r["points"][0][0] for r in results)
    high = min(r["points"][-1][0] for r in results)
    at = np.arange(low, high + 1)
    mean = np.mean([np.interp(at, *np.array(r["points"]).T) for r in results], axis=0)
    return at, IsotonicRegression().fit_transform(at, mean)


def needed(way: tuple[Any, Any], target: float) -> float:
    """The fewest labelled texts from which on the mean macro-F1 reaches a target; infinite where it does not."""
    reached = np.flatnonzero(way[1] >= target)
    return float(way[0][reached[0]]) if len(reached) else float("inf")


def table(results: list[Result], set_name: str) -> str:
    """For each way, labels needed as a share of those of random choice, at three numbers of the latter."""
    mine = [r for r in results if r["set"] == set_name]
    curves = {way: mean_curve([r for r in mine if r["way"] == way]) for way in WAYS if any(r["way"] == way for r in mine)}
    at, random = curves["random"]
    seeds = len({r["seed"] for r in mine})
    header = [f"{set_name}, {seeds} seeds", *(f"{n} at random: {np.interp(n, at, random):.3f}" for n in TARGETS)]
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for way, found in curves.items():
        cells = []
        for n in TARGETS:
            lowest = needed(found, float(np.interp(n, at, random)))
            cells.append("not reached" if np.isinf(lowest) else f"{lowest:.0f} ({lowest / n:.2f})")
        if way != "random":
            lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(results: list[Result], path: Path) -> None:
    """The mean macro-F1 of every way by the number of labelled texts, in greys and hues for any background."""
    import matplotlib
    from matplotlib.figure import Figure

    grey = "#7a7a7a"
    hues = dict(zip(WAYS, (grey, "#2f81c7", "#8a63d2", "#2da44e", "#d9730d"), strict=True))
    style: dict[Any, Any] = {"svg.hashsalt": "tagger", "svg.fonttype": "none", "font.size": 9}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), grey)
    sets = list(dict.fromkeys(r["set"] for r in results))
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9, 3.4), layout="constrained")
        for axes, set_name in zip(figure.subplots(1, len(sets), squeeze=False).flat, sets, strict=True):
            for way in WAYS:
                found = [r for r in results if (r["set"], r["way"]) == (set_name, way)]
                if found:
                    at, f1 = mean_curve(found)
                    line = {"lw": 2} if way == "tagger next" else {"lw": 1.2, "ls": "--" if way == "random" else "-"}
                    axes.plot(at, f1, color=hues[way], label=way, **line)
            axes.set_title(set_name, fontsize=10)
            axes.set_xlabel("labelled texts")
            axes.grid(color=grey, alpha=0.25, linewidth=0.5)
            axes.spines[["top", "right"]].set_visible(False)
            axes.patch.set_alpha(0)
        figure.axes[0].set_ylabel("macro-F1")
        legend = {text: mark for axes in figure.axes for mark, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(legend.values(), legend.keys(), loc="outside lower center", ncols=len(legend), frameon=False)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def stopped(results: list[Result], set_name: str) -> str:
    """Where labels chosen by `tagger next` are said to have stopped helping."""
    found = [r for r in results if (r["set"], r["way"]) == (set_name, "tagger next")]
    said = [next((n for n, same in r["same"] if (same[1] or 0) >= SAME), None) for r in found]
    last = np.mean([r["same"][-1][1][0] for r in found])
    return f"{set_name}: stops at {', '.join(map(str, said))} of {found[0]['points'][-1][0]}; last agreement {last:.3f}\n"


def verdict(results: list[Result]) -> str:
    """Labels that `tagger next` needs as a share of those of random choice: the mean over the sets, at each number."""
    shares = []
    for set_name in dict.fromkeys(r["set"] for r in results):
        at, random = mean_curve([r for r in results if (r["set"], r["way"]) == (set_name, "random")])
        way = mean_curve([r for r in results if (r["set"], r["way"]) == (set_name, "tagger next")])
        shares.append([needed(way, float(np.interp(n, at, random))) / n for n in TARGETS])
    means = np.mean(shares, axis=0)
    told = ", ".join(f"{n}: {'not reached' if np.isinf(m) else f'{m:.2f}'}" for n, m in zip(TARGETS, means, strict=True))
    return f"mean over sets, of {told}; wanted: at most {WANTED}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="how often to begin anew")
    parser.add_argument("--first", type=int, default=200, metavar="N", help="the first seed; choices were made on 0 and 1")
    parser.add_argument("--held-out", action="store_true", help="score a third of the training half, not the test half")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="results: read, and kept")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the results")
    arguments = parser.parse_args()
    results: list[Result] = []
    if arguments.json and arguments.json.exists():
        results = json.loads(arguments.json.read_text())
    done = {(r["set"], r["way"], r["seed"]) for r in results}
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        for set_name in arguments.names:
            wanted = [way for way in WAYS if (set_name, way, seed) not in done]
            data = read(arguments.data / set_name, seed, arguments.held_out) if wanted else None
            for way in wanted:
                found = curve(way, data, seed, **(AT_RANDOM if way == "random" else {}))
                results.append({"set": set_name, "way": way, "seed": seed, **found})
                print(f"{set_name} {seed} {way}: {found['points'][-1][1]:.3f}", file=sys.stderr, flush=True)
                if arguments.json:
                    arguments.json.write_text(json.dumps(results) + "\n")
    for set_name in dict.fromkeys(r["set"] for r in results):
        print(table(results, set_name))
    for set_name in dict.fromkeys(r["set"] for r in results):
        print(stopped(results, set_name), end="")
    print(verdict(results))
    if arguments.svg:
        draw(results, arguments.svg)


if __name__ == "__main__":
    main()
