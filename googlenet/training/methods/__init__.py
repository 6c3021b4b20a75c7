"""Methods that a recipe may choose and the default does without: an optimizer, first weights, a loss."""
