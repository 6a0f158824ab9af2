// name: export_conversations
// asks: all conversations
// params: none
// returns: id, title, started_at; by id
MATCH (c:Conversation)
RETURN c.id AS id, c.title AS title, c.started_at AS started_at
ORDER BY id
