"""What every tab uses: figures, charts, manners."""
