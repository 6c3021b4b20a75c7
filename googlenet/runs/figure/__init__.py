"""A run's figure, and the class note's points to lay beside it."""
