// name: count_messages
// asks: how many messages there are
// params: none
// returns: number
MATCH (n:Message)
RETURN count(*) AS number
