"""Which checkpoint of a run is the best: judged, promoted, reported."""
