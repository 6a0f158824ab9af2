"""The lake's jobs: archive what the log holds, restore a log, check the files."""
