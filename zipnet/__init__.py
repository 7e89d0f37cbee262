"""zipnet: the zip-code network of 1989 and the ways to run it."""
