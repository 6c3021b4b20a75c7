"""Classify and evaluate: untrusted pictures in, probabilities out."""
