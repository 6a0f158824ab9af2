// name: fill_entities
// asks: add many entities
// params: rows as of add_entities
// returns: nothing
COPY Entity FROM (
    LOAD FROM helix_rows
    RETURN
        row_id, row_name, row_key, row_type, row_aliases, row_keys, row_named_at, row_mention_count,
        row_message_count, row_confidence, row_created_at, row_updated_at
)
