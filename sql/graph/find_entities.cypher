// name: find_entities
// asks: what is known of these entities
// params: ids list of text
// returns: all properties; by id
UNWIND $ids AS wanted
MATCH (e:Entity {id: wanted})
RETURN
    e.id AS id, e.name AS name, e.type AS type, e.aliases AS aliases, e.named_at AS named_at,
    e.mention_count AS mention_count, e.message_count AS message_count, e.confidence AS confidence,
    e.created_at AS created_at, e.updated_at AS updated_at
ORDER BY id
