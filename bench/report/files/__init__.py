"""From a disk or a store to values: bytes, bounds, fields, and what is remembered of them."""
