// name: fill_mentioned_in
// asks: add many mentions in conversations to a graph that has none
// params: rows as of add_mentioned_in
// returns: nothing
COPY MENTIONED_IN FROM (
    LOAD FROM helix_rows
    RETURN row_entity_id, row_conversation_id, row_count, row_first_at, row_last_at
)
