"""The actor: runs the environment and the author's Worker, and sends what it adds to the Memory."""
