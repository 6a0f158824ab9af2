// name: co_occurrences
// asks: how often an entity is named beside others
// params: id text; ids list of text
// returns: id, frequency; by id
MATCH (a:Entity {id: $id})-[r:CO_OCCURS_WITH]-(b:Entity)
WHERE b.id IN $ids
RETURN b.id AS id, r.frequency AS frequency
ORDER BY id
