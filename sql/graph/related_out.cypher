// name: related_out
// asks: what is related to an entity that is the source
// params: id text; min_strength float; as_of text; max_rows int
// returns: id, name, type, relation, strength, support, valid_from, valid_to; the strongest first
MATCH (a:Entity {id: $id})-[r:RELATED_TO]->(b:Entity)
WHERE r.strength >= $min_strength AND r.valid_from <= $as_of
    AND (r.valid_to IS NULL OR r.valid_to > $as_of)
RETURN
    b.id AS id, b.name AS name, b.type AS type, r.type AS relation, r.strength AS strength,
    r.support AS support, r.valid_from AS valid_from, r.valid_to AS valid_to
ORDER BY strength DESC, support DESC, name, id, relation, valid_from
LIMIT $max_rows
