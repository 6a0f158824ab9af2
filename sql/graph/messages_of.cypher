// name: messages_of
// asks: which messages name an entity
// params: id text; max_rows int
// returns: id, conversation_id, time, count; the newest first
MATCH (m:Message)-[r:MENTIONS]->(:Entity {id: $id})
RETURN m.id AS id, m.conversation_id AS conversation_id, m.time AS time, r.count AS count
ORDER BY time DESC, id
LIMIT $max_rows
