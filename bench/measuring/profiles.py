"""How long to measure: four profiles, chosen by an option and stored in the result file.

smoke is the least that makes a valid file: it tries a session, and its numbers say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Profile:
    """Budgets of one row.

    seconds: time to spend on a row's rounds. long_seconds: the same where a round is a whole
    training or a new process; there one round may have to do. min_rounds, max_rounds: rounds of
    all other rows, at least and at most (every raw timing is kept); patience: seconds that the
    least of them may take. round_seconds: how long a round of queued steps should last, so that
    one wait at its end does not matter. laps: over how many laps of the session a row's rounds are
    spread. train_limit: seconds a whole training may take by projection from its steps; above it
    the row is left out and said so. retakes: how often a lap may be taken again because somebody
    else had our cores during it.
    """

    name: str
    seconds: float
    long_seconds: float
    patience: float
    min_rounds: int
    max_rounds: int
    round_seconds: float
    laps: int
    train_limit: float
    retakes: int = 0

    def rounds(self, estimate: float) -> int:
        """Rounds that fit the budget when one takes `estimate` seconds."""
        each = max(estimate, 1e-9)
        least = max(1, min(self.min_rounds, int(self.patience / each)))
        return max(least, min(int(self.seconds / each), self.max_rounds))

    def long_rounds(self, estimate: float) -> int:
        """Rounds that fit the budget where one is a whole training; one at least.

        One as well where a clock that stepped back made nothing of the estimate.
        """
        fit = self.long_seconds / estimate if estimate > 0 else 1
        return max(1, min(int(fit), self.max_rounds))


PROFILES: Final = {
    profile.name: profile
    for profile in (
        # name, seconds, long_seconds, patience, min_rounds, max_rounds, round_seconds, laps,
        # train_limit, retakes
        Profile("smoke", 0.0, 0.0, 2.0, 2, 2, 0.001, 2, 0.1),
        Profile("quick", 0.2, 0.2, 2.0, 3, 200, 0.02, 2, 5.0, 1),
        Profile("standard", 0.5, 6.0, 12.0, 6, 1000, 0.05, 5, 8.0, 1),
        Profile("full", 8.0, 60.0, 60.0, 15, 2000, 0.2, 8, 1200.0, 2),
    )
}
