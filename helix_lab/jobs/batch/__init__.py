"""The batch jobs: from the files of the lake to a table of results, on any batch engine."""
