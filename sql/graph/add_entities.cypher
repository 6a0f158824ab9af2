// name: add_entities
// asks: add entities
// params: rows of all properties
// returns: nothing
UNWIND $rows AS row
CREATE (:Entity {
    id: row.id, name: row.name, key: row.key, type: row.type, aliases: row.aliases, keys: row.keys,
    named_at: row.named_at, mention_count: row.mention_count, message_count: row.message_count,
    confidence: row.confidence, created_at: row.created_at, updated_at: row.updated_at
})
