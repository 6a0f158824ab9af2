"""One file per technology, the only importer of its driver."""
