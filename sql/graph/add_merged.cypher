// name: add_merged
// asks: keep what entities show as
// params: rows of id text, entity_id text
// returns: nothing
UNWIND $rows AS row
CREATE (:MergedEntity {id: row.id, entity_id: row.entity_id})
