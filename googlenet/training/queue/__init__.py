"""Trainings one after the other on each device: what begins the next one, a sweep of many, and how long they take."""
