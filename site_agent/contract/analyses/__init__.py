"""The closed catalogue: every kind of analysis, and every sum that a site will compute.

Each kind is a module with its formulas: summands (pure functions of a hospital's rows and
public arguments), an estimator (a generator that yields the sums it needs), and its result.
"""
