"""What happens inside a network while it answers: its map, what a place sees, each sum, and who carried the answer."""
