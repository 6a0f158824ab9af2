// name: add_conversations
// asks: keep conversations; those that are here stay
// params: rows of id text
// returns: nothing
UNWIND $rows AS row
MERGE (:Conversation {id: row.id})
