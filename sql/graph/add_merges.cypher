// name: add_merges
// asks: keep merges; one that is undone already stays undone
// params: rows of id text, clock int, source text, target text
// returns: nothing
UNWIND $rows AS row
MERGE (m:Merge {id: row.id})
ON CREATE SET m.clock = row.clock, m.source = row.source, m.target = row.target, m.is_undone = false
ON MATCH SET m.clock = row.clock, m.source = row.source, m.target = row.target
