"""The graph on Neo4j, over bolt: a server of one's own or of a team.

`store` runs the statements; `making_schema` makes keys and indexes; `answers` turns what users'
statements give into plain values.
"""

from helix_lab.adapters.graph_neo4j.store import Neo4jGraph

__all__ = ["Neo4jGraph"]
