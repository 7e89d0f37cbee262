"""Reading result files: tables, plots and pages from JSON alone, on a machine without torch."""
