// name: fill_relations
// asks: add many relations to a graph that has none
// params: rows as of add_relations
// returns: nothing
COPY RELATED_TO FROM (
    LOAD FROM helix_rows
    RETURN
        row_source, row_target, row_type, row_strength, row_weight, row_support, row_first_at,
        CAST(NULL AS STRING), row_last_at
)
