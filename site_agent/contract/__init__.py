"""What hospitals and the coordinating center must agree on, byte for byte.

Nothing in here reads a file, a clock, a network or a random number generator.
"""
