"""The graph on Ladybug: one file, owned by one process, filled again from the log when it is bad.

`store` runs the statements; `engine` opens, discards and closes the file; `answers` turns what
users' statements give into plain values.
"""

from helix_lab.adapters.graph_ladybug.store import LadybugGraph

__all__ = ["LadybugGraph"]
