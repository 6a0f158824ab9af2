"""Contexts: what is shown of a conversation, compressed where it must be, and recorded."""

from helix_lab.jobs.contexts.making import ContextMaker, Made, Wanted

__all__ = ["ContextMaker", "Made", "Wanted"]
