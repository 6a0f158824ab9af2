// name: entities_in
// asks: what a conversation mentions
// params: id text; max_rows int
// returns: id, name, type, count; the most mentioned first
MATCH (e:Entity)-[r:MENTIONED_IN]->(:Conversation {id: $id})
RETURN e.id AS id, e.name AS name, e.type AS type, r.count AS count
ORDER BY count DESC, id
LIMIT $max_rows
