"""What a run is: a directory that its trainer writes and everyone else reads. No torch."""
