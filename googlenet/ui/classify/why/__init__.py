"""Classify: why this class and not another."""
