"""Recording: the only way into the event log."""
