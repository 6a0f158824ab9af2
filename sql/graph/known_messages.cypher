// name: known_messages
// asks: which of these messages are in the graph
// params: ids list of text
// returns: id
UNWIND $ids AS known
MATCH (m:Message {id: known})
RETURN m.id AS id
ORDER BY id
