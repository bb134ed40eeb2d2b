"""A hospital's data: reading Parquet, checking it against the dictionary, deriving columns."""
