"""What a cluster trains, and how services work for one job after the other."""
