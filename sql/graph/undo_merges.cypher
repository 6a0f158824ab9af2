// name: undo_merges
// asks: mark merges as undone, also those that are not here yet
// params: rows of id text
// returns: nothing
UNWIND $rows AS row
MERGE (m:Merge {id: row.id})
ON CREATE SET m.is_undone = true
ON MATCH SET m.is_undone = true
