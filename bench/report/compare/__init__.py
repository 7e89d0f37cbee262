"""Which machine is faster, by how much, and is that real?

Everything here works on summaries of rows (measures, doubts, thresholds), never on raw timings.
"""
