// name: drop_claims
// asks: remove the exclusive relations of entities
// params: rows of source, type text
// returns: nothing
UNWIND $rows AS row
MATCH (a:Entity {id: row.source})
MATCH (a)-[r:RELATED_TO {type: row.type}]->(:Entity)
DELETE r
