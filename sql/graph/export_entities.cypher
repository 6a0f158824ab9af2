// name: export_entities
// asks: all entities
// params: none
// returns: id, name, type, aliases, mention_count, message_count, confidence, created_at, updated_at; by id
MATCH (e:Entity)
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.aliases AS aliases,
    e.mention_count AS mention_count, e.message_count AS message_count,
    e.confidence AS confidence, e.created_at AS created_at, e.updated_at AS updated_at
ORDER BY id
