// name: add_claims
// asks: add exclusive relations: one edge for each time that it held
// params: rows of source, target, type, first_at, last_at, valid_to text; support int; weight, strength float. valid_to is empty while it holds
// returns: nothing
UNWIND $rows AS row
MATCH (a:Entity {id: row.source})
MATCH (b:Entity {id: row.target})
CREATE (a)-[:RELATED_TO {
    type: row.type, support: row.support, weight: row.weight, strength: row.strength,
    valid_from: row.first_at, last_at: row.last_at, valid_to: row.valid_to
}]->(b)
