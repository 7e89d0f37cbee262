"""Schemes from H1 to H2: what each claims of itself."""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from zipnet import paper, schemes
from zipnet.errors import UserError
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989, MICRO_VIT, Scheme

SCHEMES = get_args(Scheme)


def shared(scheme):
    """How many H1 planes each two H2 planes have in common, and how often."""
    rows = [set(row) for row in schemes.table(scheme).tolist()]
    return Counter(len(one & other) for one, other in combinations(rows, 2))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_plane_sees_eight_others_by_all_its_slots(scheme):
    rows = schemes.table(scheme)
    assert rows.shape == (12, 8)
    assert all(sorted(set(row)) == list(row) and min(row) >= 0 and max(row) < 12 for row in rows)
    assert paper.LAYERS[1].inputs_per_unit == 25 * rows.shape[1]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_plane_feeds_eight_but_at_random(scheme):
    feeds = set(Counter(schemes.table(scheme).ravel().tolist()).values())
    assert (feeds == {8}) == (scheme != "random")


def test_blocks_are_those_of_repro_py():
    first, second, third = [*range(8)], [*range(4, 12)], [*range(4), *range(8, 12)]
    assert schemes.table("blocks").tolist() == [first] * 4 + [second] * 4 + [third] * 4


def test_no_scheme_shares_more_evenly_than_the_balanced():
    """12 x 28 meetings over 66 pairs: 5 each and 6 left over."""
    assert shared("balanced") == {5: 60, 6: 6}
    assert shared("blocks") == {8: 18, 4: 48}
    assert set(shared("cyclic")) == {4, 5, 6, 7}
    assert set(shared("random")) != {5, 6}


@pytest.mark.parametrize("scheme", ["balanced", "cyclic"])
def test_rulers_turn(scheme):
    """Each plane is the one before it, one further: planes differ by a relabelling alone."""
    rows = schemes.table(scheme)
    for one, following in zip(rows, np.roll(rows, -1, axis=0), strict=True):
        assert sorted((one + 1) % 12) == list(following)


@pytest.mark.parametrize("scheme", set(SCHEMES) - {"blocks"})
def test_no_other_scheme_is_blocks_by_another_numbering(scheme):
    """A numbering changes neither how many planes two share nor how often."""
    assert shared(scheme) != shared("blocks")


def test_the_draw_is_the_same_everywhere():
    assert schemes.table("random")[0].tolist() == [0, 1, 2, 3, 6, 8, 9, 11]
    assert schemes.table("random")[11].tolist() == [0, 2, 4, 5, 7, 8, 9, 10]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_spread_over_all_planes_come_back(scheme):
    h2w = Params.init(3).H2w
    over_all = schemes.spread(h2w, scheme)
    assert np.array_equal(schemes.gathered(over_all, scheme), h2w)
    assert np.array_equal(over_all != 0, (schemes.mask(scheme) != 0) & np.ones((1, 1, 5, 5), bool))
    assert over_all[5, schemes.table(scheme)[5, 2]].tolist() == h2w[5, 2].tolist()


def test_a_scheme_starts_from_the_same_weights():
    one, other = (Params.init(1, replace(KARPATHY_1989, scheme=name)) for name in SCHEMES[:2])
    assert one.distance(other)[1] == 0


def test_schemes_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match="scheme 'rings' is not known; choose one of: blocks"):
        replace(KARPATHY_1989, scheme="rings")
    with pytest.raises(UserError, match="scheme is 'cyclic' with network 'micro-vit'"):
        replace(MICRO_VIT, scheme="cyclic")
