"""What a precision asked for is worth: the true precision at thresholds chosen by `threshold_for_precision`.

usage: python bench/precision.py

Topics made by lot whose truth is known: calibrated scores of a topic that is told apart easily, or hardly. For each number of
yes entries and each goal, of 400 draws: how many support the goal; in how many the goal is supported and the true precision,
that of all scores above the threshold, is below it; the mean of the lower bound and of the true precision where the goal is
supported; the median of the yes entries said to be lacking where it is not; and in how many of these, with as many more, a new
draw supports it.
"""

from __future__ import annotations

import numpy as np

from tagger.model.log_odds import sigmoid
from tagger.training.topic_threshold import PrecisionGoal, threshold_for_precision

N_ROUNDS = 400
SPREADS = {"easy": (-6.0, 5.0), "hard": (-4.0, 2.5)}  # mean and standard deviation of the log-odds


def drawn(random: np.random.Generator, spread: tuple[float, float], n_entries: int, goal: float) -> tuple[PrecisionGoal, int]:
    """What is found for entries drawn by lot, and how many of them are a yes."""
    scores = sigmoid(random.normal(*spread, n_entries))
    yes = random.random(n_entries) < scores
    return threshold_for_precision(scores, yes, goal, int(yes.sum())), int(yes.sum())


def main() -> None:
    """Print the table, in Markdown."""
    print("| topic | yes entries | goal | supported | and untrue | lower bound | true precision | lacking | then supported |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, spread in SPREADS.items():
        everything = np.sort(sigmoid(np.random.default_rng(1).normal(*spread, 1_000_000)))
        # the mean of all scores from each on, which is the true precision of a threshold there
        precision = everything[::-1].cumsum()[::-1] / np.arange(len(everything), 0, -1)
        for n_yes in (60, 100, 250, 1000):
            n_entries = round(n_yes / everything.mean())
            for goal in (0.8, 0.9):
                random = np.random.default_rng(0)
                true, bounds, lacking, then = [], [], [], []
                for _ in range(N_ROUNDS):
                    found, there = drawn(random, spread, n_entries, goal)
                    if found.is_supported:
                        at = min(int(np.searchsorted(everything, found.threshold)), len(everything) - 1)
                        true.append(precision[at])
                        bounds.append(found.lower_bound)
                    elif found.n_lacking is not None:
                        lacking.append(found.n_lacking)
                        again, _ = drawn(random, spread, round(n_entries * (1 + found.n_lacking / there)), goal)
                        then.append(again.is_supported)
                cells = [f"{len(true) / N_ROUNDS:.0%}", f"{(np.array(true) < goal).sum() / N_ROUNDS:.1%}"]
                cells += [f"{np.mean(side):.3f}" if len(side) > 9 else "-" for side in (bounds, true)]
                cells += [f"{np.median(lacking):.0f}", f"{np.mean(then):.0%}"] if len(lacking) > 9 else ["-", "-"]
                print(f"| {kind} | {n_yes} | {goal} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
