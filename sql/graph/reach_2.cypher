// name: reach_2
// asks: which entities 2 steps along relations that hold lead to
// params: id text
// returns: id; some of them are nearer than that
// OPTIONAL MATCH, since the embedded engine reads the whole table for a second MATCH, and filters
// wrongly on two edges of one pattern (tested in helix_lab/testing/graph/querying.py).
MATCH (a:Entity {id: $id})-[r1:RELATED_TO]-(x1:Entity)
WHERE r1.valid_to IS NULL
WITH DISTINCT x1
OPTIONAL MATCH (x1)-[r2:RELATED_TO]-(b:Entity)
WITH r2, b
WHERE r2.valid_to IS NULL AND b.id IS NOT NULL
RETURN DISTINCT b.id AS id
ORDER BY id
