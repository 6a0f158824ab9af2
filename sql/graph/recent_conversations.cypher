// name: recent_conversations
// asks: in which conversations something was mentioned last
// params: max_rows int
// returns: id, title, last_at; the latest first
MATCH (:Entity)-[r:MENTIONED_IN]->(c:Conversation)
RETURN c.id AS id, c.title AS title, max(r.last_at) AS last_at
ORDER BY last_at DESC, id
LIMIT $max_rows
