"""How it is measured: pytest's side, the session and its laps, the clock, and what a machine is."""
