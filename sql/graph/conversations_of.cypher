// name: conversations_of
// asks: in which conversations an entity is mentioned
// params: id text; max_rows int
// returns: id, title, count, first_at, last_at; the most mentions first
MATCH (:Entity {id: $id})-[r:MENTIONED_IN]->(c:Conversation)
RETURN
    c.id AS id, c.title AS title, r.count AS count, r.first_at AS first_at, r.last_at AS last_at
ORDER BY count DESC, id
LIMIT $max_rows
