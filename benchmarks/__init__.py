"""One runnable module per claim about speed: each compares with a baseline in the same run and prints the ratio."""
