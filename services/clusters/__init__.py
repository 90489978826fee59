"""The services together, as whoever starts or uses them sees it: children, in the background, or somewhere else."""
