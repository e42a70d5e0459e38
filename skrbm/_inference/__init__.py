"""What a machine is as a distribution: chains, and its partition function."""
