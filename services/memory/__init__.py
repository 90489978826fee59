"""The memory service: hosts the author's Memory between the actors and the learner."""
