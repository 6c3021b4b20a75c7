"""What keeps the lab alive and is no part of it: run from the root of a checkout."""
