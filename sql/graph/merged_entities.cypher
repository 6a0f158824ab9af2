// name: merged_entities
// asks: which of these entities show as another one
// params: ids list of text
// returns: id, entity_id (the one that it shows as)
UNWIND $ids AS merged
MATCH (m:MergedEntity {id: merged})
RETURN m.id AS id, m.entity_id AS entity_id
ORDER BY id
