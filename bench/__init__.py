"""Measuring: one bench_*.py a question, the harness that holds the clock, and the report."""
