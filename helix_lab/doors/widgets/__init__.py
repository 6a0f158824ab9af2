"""Widgets of notebooks: a conversation to read, runs to follow; HTML where none can live."""
