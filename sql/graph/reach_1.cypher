// name: reach_1
// asks: which entities 1 step along relations that hold leads to
// params: id text
// returns: id; some of them are nearer than that
MATCH (a:Entity {id: $id})-[r1:RELATED_TO]-(b:Entity)
WHERE r1.valid_to IS NULL
RETURN DISTINCT b.id AS id
ORDER BY id
