// name: add_mentioned_in
// asks: count mentions of entities in conversations
// params: rows of entity_id, conversation_id, first_at, last_at text; count int
// returns: nothing
UNWIND $rows AS row
MATCH (e:Entity {id: row.entity_id})
MATCH (c:Conversation {id: row.conversation_id})
MERGE (e)-[r:MENTIONED_IN]->(c)
ON CREATE SET r.count = row.count, r.first_at = row.first_at, r.last_at = row.last_at
ON MATCH SET
    r.count = r.count + row.count,
    r.first_at = CASE WHEN row.first_at < r.first_at THEN row.first_at ELSE r.first_at END,
    r.last_at = CASE WHEN row.last_at > r.last_at THEN row.last_at ELSE r.last_at END
