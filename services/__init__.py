"""The three service processes of a cluster: actor, memory and learner."""
