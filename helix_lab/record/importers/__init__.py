"""Importers: files of other programs, read as drafts of events."""
