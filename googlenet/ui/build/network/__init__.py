"""The whole network."""
