// name: fill_mentions
// asks: add which messages name which entities, many at once
// params: rows as of add_mentions
// returns: nothing
COPY MENTIONS FROM (
    LOAD FROM helix_rows
    RETURN row_message_id, row_entity_id, row_count
)
