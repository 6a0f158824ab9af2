// name: count_entities
// asks: how many entities there are
// params: none
// returns: number
MATCH (n:Entity)
RETURN count(*) AS number
