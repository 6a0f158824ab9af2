// name: add_starts
// asks: keep who started which conversation
// params: rows of user_id, conversation_id text
// returns: nothing
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
MATCH (c:Conversation {id: row.conversation_id})
MERGE (u)-[:STARTED]->(c)
