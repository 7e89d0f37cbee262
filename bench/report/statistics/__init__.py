"""Pure functions of timings, each with its source; they know nothing of files or rows."""
