"""The Build tab."""
