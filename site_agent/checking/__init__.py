"""Looking a hospital's data through: all that the agent refuses, and what is only unlikely."""
