// name: evidence_of
// asks: what the messages say that name one of these entities
// params: ids list of text
// returns: id, conversation_id, time, facts; by id
UNWIND $ids AS wanted
MATCH (e:Entity {id: wanted})
OPTIONAL MATCH (m:Message)-[:MENTIONS]->(e)
WITH m
WHERE m.id IS NOT NULL
RETURN DISTINCT m.id AS id, m.conversation_id AS conversation_id, m.time AS time, m.facts AS facts
ORDER BY id
