"""Faster, slower, same or unclear: by which rule, and how often it is wrong."""
