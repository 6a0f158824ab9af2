// name: find_conversations
// asks: what is told of these conversations
// params: ids list of text
// returns: id, title, started_at; by id
UNWIND $ids AS wanted
MATCH (c:Conversation {id: wanted})
RETURN c.id AS id, c.title AS title, c.started_at AS started_at
ORDER BY id
