"""Cypher of users: which statements only read, told from their words alone."""
