// name: export_users
// asks: who started which conversation
// params: none
// returns: id, conversation_id; by both
MATCH (u:User)-[:STARTED]->(c:Conversation)
RETURN u.id AS id, c.id AS conversation_id
ORDER BY id, conversation_id
