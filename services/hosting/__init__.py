"""What whoever holds the author's Memory is made of: the memory service, or a learner that holds it itself."""
