// name: add_mentions
// asks: add which message names which entity
// params: rows of message_id, entity_id text; count int
// returns: nothing
UNWIND $rows AS row
MATCH (m:Message {id: row.message_id})
MATCH (e:Entity {id: row.entity_id})
CREATE (m)-[:MENTIONS {count: row.count}]->(e)
