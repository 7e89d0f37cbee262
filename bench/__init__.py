"""One bench_*.py a question; measuring/ asks it of a machine, report/ shows what was said."""
