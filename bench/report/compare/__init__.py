"""`python -m bench compare`: which machine is faster, by how much, and is that real?

Here are its arguments alone, apart from its work, so that --help need not load numpy.
"""

from __future__ import annotations

import argparse
from typing import Final

CODES: Final = """\
exit codes:
  0  fine
  1  --fail-if-slower: some row is slower by more than the limit, by its interval's near
     end; per row, about 1 of 40 equal ones would be by chance
  2  bad input, named on stderr; what could be read is compared all the same
  3  nothing comparable: the files share no row
  4  --fail-if-slower: no row is slower for certain, but of some that cannot be ruled out: its
     interval reaches beyond the limit, or it was disturbed; rows are named on stderr. Without
     that option: every shared row has too few rounds or was disturbed
"""
DESCRIPTION: Final = (
    "Which machine is faster, by how much, and is that real? Each argument is a result file, a\n"
    "folder or glob of them, or the name of a machine below --results. The first is the baseline."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.description, parser.epilog = DESCRIPTION, CODES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contestants", nargs="+", metavar="FILE|FOLDER|MACHINE")
    where = "where machines are looked up by name; default: %(default)s"
    parser.add_argument("--results", default="results", metavar="FOLDER", help=where)
    parser.add_argument("--baseline", metavar="NAME", help="the contestant to compare with")
    parser.add_argument(
        "--rows", action="store_true", help="every row, after what holds of each question"
    )
    drawn = "draw the verdicts there: compare.svg, .png, and compare-narrow.svg for a phone"
    parser.add_argument("--out", metavar="FOLDER", help=drawn)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as one JSON object")
    shape.add_argument("--csv", action="store_true", help="every row compared, as CSV")
    slower = "exit 1 where a row takes more than, say, 5%% longer; 4 where it may, by its interval"
    parser.add_argument("--fail-if-slower", metavar="PERCENT", dest="limit", help=slower)
    margin = "same: the whole interval lies within this; default: %(default)s"
    parser.add_argument(
        "--same-within", metavar="PERCENT", dest="margin", default="5%", help=margin
    )
