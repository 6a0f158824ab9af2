"""Statements of users: those of the guide pass, whatever could do more than read does not."""

from __future__ import annotations

import pytest

from helix_lab.domain.cypher.gate import check_cypher
from helix_lab.domain.model.errors import InvalidRequest, QueryFailed, QueryRefused

READING = [
    '// All of "Docker"\nMATCH (e1:Entity {name: "Docker"})-[:RELATED_TO]-(e2:Entity)\n'
    "RETURN e2.name, e2.type\nLIMIT 10;",
    "MATCH (e1:Entity)-[r:CO_OCCURS_WITH]->(e2:Entity)\nWHERE r.frequency > 5\n"
    "RETURN e1.name, e2.name, r.frequency\nORDER BY r.frequency DESC;",
    "MATCH (n)-[r]->(m)\nRETURN n, r, m\nLIMIT 100;",
    'MATCH path = (e1:Entity {name: "Docker"})-[:RELATED_TO*1..2]-(e2)\nRETURN path;',
    "// why is it slow\nPROFILE MATCH (e:Entity) RETURN e",
    "MATCH (a)-[r:A|B*1..3]->(b) WHERE NOT a.x IS NULL AND b.name STARTS WITH 'x' OR b.y IN [1, 2] "
    "RETURN DISTINCT count(DISTINCT a) AS n, CASE WHEN a.x > 1 THEN 2 ELSE 3 END AS k "
    "ORDER BY n SKIP 1 LIMIT $n",
    "MATCH (a) WHERE EXISTS { MATCH (a)-->(b) } RETURN COUNT { (a)--() } AS c "
    "UNION ALL MATCH (b) RETURN 1 AS c",
    "UNWIND [1, 2] AS x WITH x WHERE x > 1 RETURN x",
    "MATCH (e:Entity {name: 'CALL db.labels() // DELETE'}) RETURN e.set, e.`load`",
    "MATCH p = (a)-[:R* TRAIL 1..2]-(b) RETURN [x IN nodes(p) | x.id] AS ids",
    "match (n) optional match (n)--(m) return n.a.b, m",
]
MORE_THAN_READING = [
    "MATCH (frob) FROB 'x'",
    "MATCH (n) RETURN n LIMIT 1 LOAD FROM 'x'",
    "MATCH (n) RETURN 1 AS `a` LOAD CSV FROM 'x' AS y",
    "MATCH (n) RETURN n UNION LOAD FROM 'x' RETURN *",
    "MATCH (n) WHERE EXISTS { CALL db.labels() YIELD label } RETURN 1",
    "CYPHER runtime = slotted MATCH (n) RETURN n",
    "RETURN `file`()",
    "RETURN unknown_function(1)",
    "MATCH (`x`) `LOAD` FROM 'a'",
    "cAlL show_tables() RETURN *",
    "/* a comment first */ CREATE (n)",
    "MATCH (n) WITH n FINISH",
    "",
    "// nothing but a comment",
    ";",
]


@pytest.mark.parametrize("cypher", READING)
def test_a_statement_that_reads_passes_without_its_comments(cypher: str) -> None:
    passed = check_cypher(cypher)

    assert not passed.endswith(";")
    assert "// " not in passed.replace("// DELETE", "")


@pytest.mark.parametrize("cypher", MORE_THAN_READING)
def test_a_statement_that_may_do_more_is_refused(cypher: str) -> None:
    with pytest.raises(QueryRefused):
        check_cypher(cypher)


@pytest.mark.parametrize("cypher", ["RETURN 'a", "RETURN `a", "MATCH (n) /* RETURN n", "RETURN #"])
def test_a_statement_that_cannot_be_read_fails(cypher: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_cypher(cypher)

    assert isinstance(caught.value, QueryFailed | QueryRefused)


def test_the_refusal_names_the_word_and_a_way_out() -> None:
    with pytest.raises(QueryRefused, match=r"'SET'.*`backticks`"):
        check_cypher("MATCH (n) SET n.x = 1")
