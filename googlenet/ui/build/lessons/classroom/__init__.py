"""A class: what a teacher sets, what a student answers, and what is printed."""
