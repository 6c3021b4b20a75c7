"""The command line: everything the app does, without the app."""
