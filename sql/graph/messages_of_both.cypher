// name: messages_of_both
// asks: which messages name both entities
// params: id, other text; max_rows int
// returns: id, conversation_id, time; the newest first
MATCH (a:Entity {id: $id})
MATCH (b:Entity {id: $other})
MATCH (m:Message)-[:MENTIONS]->(a)
MATCH (m)-[:MENTIONS]->(b)
RETURN m.id AS id, m.conversation_id AS conversation_id, m.time AS time
ORDER BY time DESC, id
LIMIT $max_rows
