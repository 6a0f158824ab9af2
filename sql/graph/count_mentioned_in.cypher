// name: count_mentioned_in
// asks: how many edges MENTIONED_IN there are
// params: none
// returns: number
MATCH ()-[r:MENTIONED_IN]->()
RETURN count(r) AS number
