// name: top_entities
// asks: which entities are mentioned most
// params: type text; any_type bool; max_rows int
// returns: id, name, type, mention_count, message_count; the most mentioned first
MATCH (e:Entity)
WHERE $any_type = true OR e.type = $type
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.mention_count AS mention_count,
    e.message_count AS message_count
ORDER BY mention_count DESC, id
LIMIT $max_rows
