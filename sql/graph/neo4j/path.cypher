// name: path
// asks: the shortest way from one entity to another along relations that hold, of 6 at most
// params: source, target text
// returns: ids (of the entities on it), relations, strengths; one row, or none
MATCH (a:Entity {id: $source})
MATCH (b:Entity {id: $target})
MATCH p = shortestPath((a)-[:RELATED_TO*..6]-(b))
WHERE all(r IN relationships(p) WHERE r.valid_to IS NULL)
RETURN
    [n IN nodes(p) | n.id] AS ids, [r IN relationships(p) | r.type] AS relations,
    [r IN relationships(p) | r.strength] AS strengths
LIMIT 1
