"""Shows what result files say, from JSON alone, on a machine without torch.

What they say and what follows from it is zipnet/results; here are its tables, figures and pages.

wording, picks      words and numbers as a person reads them; which rows stand for a machine
learned, factorial  what trainings learned beside what was published; what choices change
figures             the drawings: one dot-plot, one plot of curves, and what each figure shows
compare             two runs or more against each other, for a terminal and for programs
pages               index.html, the Markdown pages and summary.csv
trials_page         verdicts.md: how often a verdict of compare is wrong
outputs             a folder of files, each whole or not at all
publish             all of it but verdicts.md, from result files to a folder of reports
"""
