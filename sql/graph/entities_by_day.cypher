// name: entities_by_day
// asks: how many entities were named for the first time on each day (UTC) of a time
// params: since text; until text
// returns: day, number; the earliest first
MATCH (e:Entity)
WHERE e.created_at >= $since AND e.created_at < $until
RETURN left(e.created_at, 10) AS day, count(e) AS number
ORDER BY day
