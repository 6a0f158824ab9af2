// name: fill_messages
// asks: add many messages
// params: rows as of add_messages
// returns: nothing
COPY Message FROM (
    LOAD FROM helix_rows
    RETURN row_id, row_conversation_id, row_time, row_facts, row_has_claims
)
