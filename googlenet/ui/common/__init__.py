"""What every tab draws with: figures, charts, templates."""
