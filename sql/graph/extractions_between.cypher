// name: extractions_between
// asks: how many entities were found on each day (UTC) in the messages of a time
// params: since text; until text
// returns: day, mentions, unique_entities, messages (with an entity); the earliest first
MATCH (m:Message)-[r:MENTIONS]->(e:Entity)
WHERE m.time >= $since AND m.time < $until
RETURN
    left(m.time, 10) AS day, sum(r.count) AS mentions,
    count(DISTINCT e.id) AS unique_entities, count(DISTINCT m.id) AS messages
ORDER BY day
