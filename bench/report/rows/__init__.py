"""What follows from the rows of a file: rates, doubts, fits; and which rows are sound."""
