"""How scores become probabilities: Platt's method for each topic, with a prior from all topics together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.model.log_odds import sigmoid

__all__ = ["PRIOR_STRENGTHS", "Calibration", "SigmoidParameters", "fit_calibration", "fit_platt"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

PRIOR_STRENGTHS = (1.0, 10.0, 100.0, 1000.0, 1e6)  # those that `fit_calibration` chooses from

_COMMON_PRIOR_STRENGTH = 1e-3  # of the fit to all topics: just enough to have one solution

_MIN_SLOPE = 0.1  # a higher logit never has a lower probability


@dataclass(frozen=True, slots=True)
class SigmoidParameters:
    """A logit z has the probability sigmoid(slope z + offset)."""

    slope: float
    offset: float

    def log_odds(self, logits: Floats) -> Floats:
        """The log-odds of the probabilities, in the shape of the logits."""
        return logits * self.slope + self.offset


@dataclass(frozen=True, slots=True)
class Calibration:
    """How out-of-fold logits become probabilities: what suits all topics together, and how far each topic may differ."""

    common: SigmoidParameters
    prior_strength: float  # the precision of a normal prior around `common`

    def fit_topic(self, logits: Floats, yes: Bools) -> SigmoidParameters:
        """The parameters of one topic: those of all topics where it has no yes entry.

        Args:
            logits: out-of-fold logits of the topic, (n,).
            yes: which of these entries have the topic, (n,).
        """
        return fit_platt(logits, yes, self.common, self.prior_strength) if yes.any() else self.common


def fit_calibration(logits: Sequence[Floats], yes: Sequence[Bools]) -> Calibration:
    """The calibration of some topics' out-of-fold logits.

    The strength of the prior is chosen by the likelihood of each half of the entries, given the other half. It is low where
    topics have many yes entries each, and high where they have a few.

    Args:
        logits: an array for each topic.
        yes: an array for each topic, of the same lengths.
    """
    common = fit_platt(np.concatenate(logits), np.concatenate(yes), SigmoidParameters(1.0, 0.0), _COMMON_PRIOR_STRENGTH)
    candidates = [Calibration(common, strength) for strength in PRIOR_STRENGTHS]
    topics = list(zip(logits, yes, strict=True))
    losses = [sum(_half_loss(candidate, *topic, half) for topic in topics for half in (0, 1)) for candidate in candidates]
    return candidates[int(np.argmin(losses))]


def _half_loss(calibration: Calibration, logits: Floats, yes: Bools, half: int) -> float:
    """The negative log-likelihood of every second label of a topic, where the other labels set its parameters."""
    parameters = calibration.fit_topic(logits[half::2], yes[half::2])
    log_odds = parameters.log_odds(logits[1 - half :: 2])
    return float(np.logaddexp(0, np.where(yes[1 - half :: 2], -1, 1) * log_odds).sum())


def fit_platt(logits: Floats, yes: Bools, centre: SigmoidParameters, prior_strength: float) -> SigmoidParameters:
    """A logistic regression on logits, with Platt's corrected targets and a normal prior. Found by Newton's method.

    Source: J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods",
    1999; the prior is ours.

    Args:
        logits: (n,).
        yes: which of them have the topic, (n,).
        centre: the mean of the prior, from which the search starts.
        prior_strength: the precision of the prior: of its slope and of its offset.
    """
    n_yes = yes.sum()
    targets = np.where(yes, (n_yes + 1) / (n_yes + 2), 1 / (len(yes) - n_yes + 2))
    x = np.stack([logits, np.ones(len(logits))], axis=1)
    prior = np.array([centre.slope, centre.offset])
    parameters = prior.copy()
    for _ in range(50):
        p = sigmoid(x @ parameters)
        gradient = x.T @ (p - targets) + prior_strength * (parameters - prior)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + prior_strength * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        parameters -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return SigmoidParameters(max(float(parameters[0]), _MIN_SLOPE), float(parameters[1]))
