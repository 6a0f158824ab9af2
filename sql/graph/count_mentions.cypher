// name: count_mentions
// asks: count more mentions of entities whose names stay
// params: rows of id text, mention_count int, message_count int, confidence float, created_at text, updated_at text; the numbers of mentions and messages are added
// returns: nothing
UNWIND $rows AS row
MATCH (e:Entity {id: row.id})
SET
    e.mention_count = e.mention_count + row.mention_count,
    e.message_count = e.message_count + row.message_count,
    e.confidence = row.confidence,
    e.created_at = row.created_at,
    e.updated_at = row.updated_at
