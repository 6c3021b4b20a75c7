"""Classify, Many pictures."""
