"""Train, before Start: what a training will do and cost, and its settings as a file, a command and a fresh form."""
