"""Classify, See inside: a picture on its way through the network."""
