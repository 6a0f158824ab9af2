"""Queries: one question each, answered from one store."""
