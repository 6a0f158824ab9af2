"""One module for each version of the record store; a version is never changed."""
