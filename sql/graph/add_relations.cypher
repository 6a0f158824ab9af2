// name: add_relations
// asks: add support to relations; strength = 1 - 0.5 ^ weight
// params: rows of source, target, type, first_at, last_at text; support int; weight, strength float
// returns: nothing
UNWIND $rows AS row
MATCH (a:Entity {id: row.source})
MATCH (b:Entity {id: row.target})
MERGE (a)-[r:RELATED_TO {type: row.type}]->(b)
ON CREATE SET
    r.support = row.support, r.weight = row.weight, r.strength = row.strength,
    r.valid_from = row.first_at, r.last_at = row.last_at
ON MATCH SET
    r.strength = round(1.0 - 0.5 ^ (r.weight + row.weight), 6),
    r.weight = r.weight + row.weight,
    r.support = r.support + row.support,
    r.valid_from = CASE WHEN row.first_at < r.valid_from THEN row.first_at ELSE r.valid_from END,
    r.last_at = CASE WHEN row.last_at > r.last_at THEN row.last_at ELSE r.last_at END
