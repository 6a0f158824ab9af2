"""Proof of the replicated memory: a simulator of nodes, and an oracle that knows all updates."""
