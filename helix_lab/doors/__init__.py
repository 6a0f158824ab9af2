"""Ways in: the command line, the Python client, the kernel; all of them call the operations."""
