"""Learning: epochs, their phases, and the state between them."""
