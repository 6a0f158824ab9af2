// name: drop_entities
// asks: remove entities with their edges
// params: ids list of text
// returns: nothing
UNWIND $ids AS dropped
MATCH (e:Entity {id: dropped})
DETACH DELETE e
