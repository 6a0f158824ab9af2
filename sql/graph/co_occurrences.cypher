// name: co_occurrences
// asks: how often an entity is named beside others
// params: id text; ids list of text
// returns: id, frequency; by id
UNWIND $ids AS other
MATCH (b:Entity {id: other})
MATCH (b)-[r:CO_OCCURS_WITH]-(a:Entity)
WHERE a.id = $id
RETURN b.id AS id, r.frequency AS frequency
ORDER BY id
