// name: mentioned_between
// asks: which entities the messages of a time mention most
// params: since text; until text; max_rows int
// returns: id, name, type, mentions, messages, conversations; the most mentioned first
MATCH (m:Message)-[r:MENTIONS]->(e:Entity)
WHERE m.time >= $since AND m.time < $until
RETURN
    e.id AS id, e.name AS name, e.type AS type, sum(r.count) AS mentions,
    count(m) AS messages, count(DISTINCT m.conversation_id) AS conversations
ORDER BY mentions DESC, id
LIMIT $max_rows
