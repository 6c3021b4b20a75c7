"""What only changes speed: the same function, computed another way."""
