"""What processes of both sides need: command line, settings, keys, the way to the exchange."""
