// name: count_related_to
// asks: how many edges RELATED_TO there are
// params: none
// returns: number
MATCH ()-[r:RELATED_TO]->()
RETURN count(r) AS number
