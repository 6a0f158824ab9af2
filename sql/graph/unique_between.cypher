// name: unique_between
// asks: how many different entities the messages of a time mention
// params: since text; until text
// returns: number
MATCH (m:Message)-[r:MENTIONS]->(e:Entity)
WHERE m.time >= $since AND m.time < $until
RETURN count(DISTINCT e.id) AS number
