// name: export_relations
// asks: all relations
// params: none
// returns: source, target, type, strength, weight, support, valid_from, valid_to, last_at; by source, target, type, valid_from
MATCH (a:Entity)-[r:RELATED_TO]->(b:Entity)
RETURN
    a.id AS source, b.id AS target, r.type AS type, r.strength AS strength, r.weight AS weight,
    r.support AS support, r.valid_from AS valid_from, r.valid_to AS valid_to, r.last_at AS last_at
ORDER BY source, target, type, valid_from
