"""Train, Queue: what waits for a device, and sweeps of many runs."""
