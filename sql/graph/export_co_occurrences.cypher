// name: export_co_occurrences
// asks: all pairs that are named together
// params: none
// returns: source, target, frequency, first_at, last_at; by source, target
MATCH (a:Entity)-[r:CO_OCCURS_WITH]->(b:Entity)
RETURN
    a.id AS source, b.id AS target, r.frequency AS frequency, r.first_at AS first_at,
    r.last_at AS last_at
ORDER BY source, target
