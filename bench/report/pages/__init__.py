"""What people read: index.html, README.md, summary.csv, and what they say of a run."""
