"""The lake: which files of history there are, what stands in their columns, where they lie."""
