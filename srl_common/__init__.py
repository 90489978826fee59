"""What the services have in common: the wire, the journal, the snapshots. Knows nothing of reinforcement learning."""
