// name: edges_between
// asks: the relations between some entities
// params: ids list of text
// returns: source, target, relation, strength, support, valid_from, valid_to; by source, target, relation, valid_from
UNWIND $ids AS wanted
MATCH (a:Entity {id: wanted})
OPTIONAL MATCH (a)-[r:RELATED_TO]->(b:Entity)
WITH a, r, b
WHERE b.id IN $ids
RETURN
    a.id AS source, b.id AS target, r.type AS relation, r.strength AS strength,
    r.support AS support, r.valid_from AS valid_from, r.valid_to AS valid_to
ORDER BY source, target, relation, valid_from
