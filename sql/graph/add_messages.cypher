// name: add_messages
// asks: add messages with what they say
// params: rows of id, conversation_id, time, facts text; has_claims bool
// returns: nothing
UNWIND $rows AS row
CREATE (:Message {
    id: row.id, conversation_id: row.conversation_id, time: row.time, facts: row.facts,
    has_claims: row.has_claims
})
