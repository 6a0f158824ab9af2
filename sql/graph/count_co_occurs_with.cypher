// name: count_co_occurs_with
// asks: how many edges CO_OCCURS_WITH there are
// params: none
// returns: number
MATCH ()-[r:CO_OCCURS_WITH]->()
RETURN count(r) AS number
