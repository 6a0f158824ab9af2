// name: fill_co_occurrences
// asks: add many co-occurrences to a graph that has none
// params: rows as of add_co_occurrences
// returns: nothing
COPY CO_OCCURS_WITH FROM (
    LOAD FROM helix_rows
    RETURN row_source, row_target, row_frequency, row_first_at, row_last_at
)
