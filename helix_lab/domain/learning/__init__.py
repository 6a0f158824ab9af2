"""Learning: six kinds of patterns, from what conversations and debates show, and insights."""
