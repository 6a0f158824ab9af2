// name: entities_by_key
// asks: which entities are called this
// params: key text (case folded)
// returns: id, name, type, mention_count, message_count; the most mentioned first
MATCH (e:Entity {key: $key})
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.mention_count AS mention_count,
    e.message_count AS message_count
ORDER BY mention_count DESC, id
