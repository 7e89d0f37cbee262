"""Do groups of timings differ? A test of ranks, which asks for no shape of their distribution.

scipy.stats has it too, but loading scipy.stats takes a second, and a report asks it of thousands
of rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc


def differ(groups: Sequence[Sequence[float]], chance: float) -> bool:
    """Whether the groups' medians differ, wrong with at most `chance` where they do not."""
    return kruskal_wallis(groups) < chance


def kruskal_wallis(groups: Sequence[Sequence[float]]) -> float:
    """The probability of ranks as far apart as these in groups of one distribution; 1 if all tie.

    Source: W. H. Kruskal, W. A. Wallis, Journal of the American Statistical Association 47 (1952)
    583-621, with their correction for ties.
    """
    values = np.concatenate([np.asarray(group, float) for group in groups])
    count = len(values)
    _, which, sizes = np.unique(values, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        return 1.0
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[which]
    ends = np.cumsum([len(group) for group in groups])[:-1]
    sums = sum(float(part.sum()) ** 2 / len(part) for part in np.split(ranks, ends))
    ties = 1 - float(np.sum(sizes.astype(float) ** 3 - sizes)) / (float(count) ** 3 - count)
    statistic = (12 / (count * (count + 1)) * sums - 3 * (count + 1)) / ties
    return float(chdtrc(len(groups) - 1, statistic))
