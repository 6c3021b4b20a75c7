"""What a training tells of itself while it runs: rows, weights, words, pace, and what it takes of the machine."""
