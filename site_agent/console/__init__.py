"""The steward's console: the steward's commands as pages of a browser on this machine.

Nothing else of the agent imports this package: an agent that only runs never loads it.
"""
