"""Train: the engine, the run directory it writes, and the launcher that starts it apart from the app."""
