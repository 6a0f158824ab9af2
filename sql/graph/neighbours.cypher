// name: neighbours
// asks: what is related to some entities, in either direction
// params: ids list of text; max_rows int
// returns: source (of the asked ones), target, strength, relation; the strongest first
UNWIND $ids AS wanted
MATCH (a:Entity {id: wanted})
OPTIONAL MATCH (a)-[r:RELATED_TO]-(b:Entity)
WITH a, r, b
WHERE r.valid_to IS NULL AND b.id IS NOT NULL
RETURN a.id AS source, b.id AS target, r.strength AS strength, r.type AS relation
ORDER BY strength DESC, source, target, relation
LIMIT $max_rows
