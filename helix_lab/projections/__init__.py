"""Projections: functions from events to stores, and the runner that keeps them up to date."""
