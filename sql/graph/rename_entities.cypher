// name: rename_entities
// asks: change how entities are called
// params: rows of id, name, key, type, named_at text; aliases, keys list of text
// returns: nothing
UNWIND $rows AS row
MATCH (e:Entity {id: row.id})
SET
    e.name = row.name, e.key = row.key, e.type = row.type, e.named_at = row.named_at,
    e.aliases = row.aliases, e.keys = row.keys
