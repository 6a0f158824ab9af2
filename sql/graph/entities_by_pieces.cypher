// name: entities_by_pieces
// asks: which names hold the most of these pieces
// params: pieces list of text (case folded); type text; any_type bool; max_rows int
// returns: id, name, type, mention_count, message_count, hits; the most hits first
UNWIND $pieces AS piece
MATCH (e:Entity)
WHERE e.key CONTAINS piece AND ($any_type = true OR e.type = $type)
WITH e, count(*) AS hits
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.mention_count AS mention_count,
    e.message_count AS message_count, hits
ORDER BY hits DESC, mention_count DESC, id
LIMIT $max_rows
