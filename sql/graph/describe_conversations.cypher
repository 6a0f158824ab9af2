// name: describe_conversations
// asks: set what is told of conversations
// params: rows of id, title, started_at text
// returns: nothing
UNWIND $rows AS row
MATCH (c:Conversation {id: row.id})
SET c.title = row.title, c.started_at = row.started_at
