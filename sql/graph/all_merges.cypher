// name: all_merges
// asks: what people said about entities that are one
// params: none
// returns: id, clock, source, target, is_undone; by id. source is null where only the undoing is known
MATCH (m:Merge)
RETURN m.id AS id, m.clock AS clock, m.source AS source, m.target AS target, m.is_undone AS is_undone
ORDER BY id
