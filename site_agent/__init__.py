"""All that a hospital runs: reading its data, guarding it, and answering approved sums."""
