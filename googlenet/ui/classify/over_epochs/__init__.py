"""Classify: one picture through every checkpoint of a run."""
