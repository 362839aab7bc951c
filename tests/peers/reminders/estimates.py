"""Estimates by Open Bandit Pipeline (PyPI `obp`): trajectories on standard input as JSON, figures on standard output.

A trajectory is a list of [logged, wanted, acted]: the likelihoods, in basis points, of what was done. Of obp only the
estimators are used; what its package would load besides (torch, scikit-learn) is stood in for by empty modules, so that
whatever needed them would fail.
"""

import importlib.util
import json
import pathlib
import sys
import types

for name, holds in (("torch", "Tensor"), ("sklearn", "utils"), ("sklearn.utils", "check_random_state")):
    module = types.ModuleType(name)
    setattr(module, holds, type(holds, (), {}))
    sys.modules[name] = module
# obp.ope loads every model there is; its estimators stand by themselves.
package = types.ModuleType("obp.ope")
package.__path__ = [str(pathlib.Path(importlib.util.find_spec("obp").origin).parent / "ope")]
sys.modules["obp.ope"] = package

import numpy as np  # noqa: E402
from obp.ope.estimators import InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting  # noqa: E402
from obp.ope.estimators_slate import SlateRewardInteractionIPS  # noqa: E402

trajectories = json.load(sys.stdin)
steps = np.array([step for steps in trajectories for step in steps], dtype=float)
logged, wanted, acted = steps[:, 0] / 10_000, steps[:, 1] / 10_000, steps[:, 2]
place = np.array([place for steps in trajectories for place in range(len(steps))])
whose = np.array([number for number, steps in enumerate(trajectories) for _ in steps])


def alone(estimator):
    """Every decision by itself: a bandit of two actions, of which the one that was done is action 0."""
    likelihoods = np.stack([wanted, 1 - wanted], axis=1)[:, :, None]
    done = np.zeros(len(acted), dtype=int)
    return estimator.estimate_policy_value(reward=acted, action=done, pscore=logged, action_dist=likelihoods, position=done)


def cascade(likelihoods):
    """The product of a trajectory's likelihoods up to each step."""
    return np.concatenate([np.cumprod(likelihoods[whose == number]) for number in range(len(trajectories))])


def per_decision(reward):
    """The sum over the steps of a trajectory of the reward, weighed by the ratios up to it; its mean."""
    estimator = SlateRewardInteractionIPS(len_list=int(place.max()) + 1)
    return estimator.estimate_policy_value(
        slate_id=whose,
        reward=reward,
        position=place,
        pscore_cascade=cascade(logged),
        evaluation_policy_pscore_cascade=cascade(wanted),
    )


# Normalised step by step: obp's estimate of that step's rewards over its estimate of a reward of one at every such step.
by_step = [
    (np.sum(place == step), per_decision(acted * (place == step)) / per_decision(1.0 * (place == step)))
    for step in range(int(place.max()) + 1)
]
json.dump(
    {
        "plain": alone(InverseProbabilityWeighting()),
        "normalised": alone(SelfNormalizedInverseProbabilityWeighting()),
        "by_trajectory": sum(count * value for count, value in by_step) / len(acted),
    },
    sys.stdout,
)
