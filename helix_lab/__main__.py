"""`python -m helix_lab` is `helix-lab`."""

from helix_lab.doors.cli import main

main()
