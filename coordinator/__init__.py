"""The coordinating center: driving releases, keeping results, reporting them."""
