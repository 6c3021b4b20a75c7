"""How a training is steered: what is asked of it, and when each command took effect."""
