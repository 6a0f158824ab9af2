// name: export_mentioned_in
// asks: all mentions of entities in conversations
// params: none
// returns: entity_id, conversation_id, count, first_at, last_at; by entity_id, conversation_id
MATCH (e:Entity)-[r:MENTIONED_IN]->(c:Conversation)
RETURN
    e.id AS entity_id, c.id AS conversation_id, r.count AS count, r.first_at AS first_at,
    r.last_at AS last_at
ORDER BY entity_id, conversation_id
