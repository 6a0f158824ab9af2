// name: path
// asks: the shortest way from one entity to another along relations that hold, of 6 at most
// params: source, target text
// returns: ids (of the entities on it), relations, strengths; one row, or none
MATCH (a:Entity {id: $source})
MATCH (b:Entity {id: $target})
MATCH p = (a)-[:RELATED_TO* SHORTEST 1..6 (r, n | WHERE r.valid_to IS NULL)]-(b)
RETURN
    properties(nodes(p), 'id') AS ids, properties(rels(p), 'type') AS relations,
    properties(rels(p), 'strength') AS strengths
LIMIT 1
