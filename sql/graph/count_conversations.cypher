// name: count_conversations
// asks: how many conversations there are
// params: none
// returns: number
MATCH (n:Conversation)
RETURN count(*) AS number
