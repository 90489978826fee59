"""The learner: runs the author's Trainer and publishes the Parameter."""
