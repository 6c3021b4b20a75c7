"""Build: what a network is (presets, blocks), what it costs (profile), how it is kept (weights)."""
