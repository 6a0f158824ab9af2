"""Batch: what the five batch jobs read out of the lake's rows, and the figures they make of it."""
