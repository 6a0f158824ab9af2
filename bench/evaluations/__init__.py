"""Evaluations of context on real conversations: what they ask, and what an answer keeps."""
