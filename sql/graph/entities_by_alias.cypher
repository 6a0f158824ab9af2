// name: entities_by_alias
// asks: which entities are also called this
// params: key text (case folded)
// returns: id, name, type, mention_count, message_count; the most mentioned first
MATCH (e:Entity)
WHERE $key IN e.keys
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.mention_count AS mention_count,
    e.message_count AS message_count
ORDER BY mention_count DESC, id
