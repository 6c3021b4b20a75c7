"""What a training will do and cost, before it starts: arithmetic, a trial of a few steps, its images, its command."""
