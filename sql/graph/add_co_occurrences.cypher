// name: add_co_occurrences
// asks: count messages that name two entities; the lesser id is the source
// params: rows of source, target, first_at, last_at text; frequency int
// returns: nothing
UNWIND $rows AS row
MATCH (a:Entity {id: row.source})
MATCH (b:Entity {id: row.target})
MERGE (a)-[r:CO_OCCURS_WITH]->(b)
ON CREATE SET r.frequency = row.frequency, r.first_at = row.first_at, r.last_at = row.last_at
ON MATCH SET
    r.frequency = r.frequency + row.frequency,
    r.first_at = CASE WHEN row.first_at < r.first_at THEN row.first_at ELSE r.first_at END,
    r.last_at = CASE WHEN row.last_at > r.last_at THEN row.last_at ELSE r.last_at END
