// name: count_users
// asks: how many users there are
// params: none
// returns: number
MATCH (n:User)
RETURN count(*) AS number
