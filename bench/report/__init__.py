"""Reading result files: tables, plots and pages from JSON alone, on a machine without torch.

Its rooms, from what stands lowest:

records     what a result file says, as frozen values
files       from a disk or a store to those values, and what is remembered of them
check       whether a file agrees with itself
rows        each row with what follows from it, and what speaks against it
statistics  medians, intervals and tests: numbers only
verdicts    how far apart two rows must lie for a verdict
compare     two machines, two engines or two runs against each other
figures     the drawings
pages       index.html, README.md and summary.csv
publish     all of that into one folder
wording     numbers and names as a reader sees them
"""
