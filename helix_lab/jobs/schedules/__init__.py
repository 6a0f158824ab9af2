"""Schedules: reports that run by themselves, at the times of a cron expression."""
