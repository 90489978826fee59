"""Ways to choose items by priority."""
