"""One bench_*.py for each question; measuring/ asks it of a machine, report/ shows the answers."""
