// name: mentions_in
// asks: what some conversations mention
// params: ids list of text
// returns: conversation_id, id, name, type, count; by conversation_id, id
// OPTIONAL MATCH, since the embedded engine reads the whole table for a second MATCH.
UNWIND $ids AS wanted
MATCH (c:Conversation {id: wanted})
OPTIONAL MATCH (e:Entity)-[r:MENTIONED_IN]->(c)
WITH c, r, e
WHERE e.id IS NOT NULL
RETURN c.id AS conversation_id, e.id AS id, e.name AS name, e.type AS type, r.count AS count
ORDER BY conversation_id, id
