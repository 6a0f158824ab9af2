"""Memory: facts that several nodes edit at once, and that converge."""
