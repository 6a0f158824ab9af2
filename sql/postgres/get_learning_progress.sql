-- name: get_learning_progress
-- asks: what was learned on each of the last days, today included, in UTC?
-- params: days_back (30; 0 to 36500)
-- returns: date, patterns_learned, insights_generated, knowledge_accumulated; days_back + 1 rows
CREATE OR REPLACE FUNCTION get_learning_progress(days_back INTEGER DEFAULT 30)
RETURNS TABLE (
    "date" DATE, patterns_learned BIGINT, insights_generated BIGINT, knowledge_accumulated BIGINT
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    today CONSTANT DATE := (now() AT TIME ZONE 'UTC')::DATE;
    first_day DATE;
BEGIN
    IF days_back IS NULL OR days_back NOT BETWEEN 0 AND 36500 THEN
        RAISE EXCEPTION 'days_back must be 0 to 36500, not %', days_back
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    first_day := today - days_back;
    RETURN QUERY
        WITH happened AS (
            SELECT (p.first_seen AT TIME ZONE 'UTC')::DATE AS day, 1 AS kind FROM learned_patterns p
            UNION ALL
            SELECT (i.created_at AT TIME ZONE 'UTC')::DATE, 2 FROM learned_insights i
            UNION ALL
            SELECT (o.observed_at AT TIME ZONE 'UTC')::DATE, 3 FROM pattern_observation o
            WHERE o.observed_at >= first_day - 1
        )
        SELECT d.day::DATE, count(*) FILTER (WHERE h.kind = 1),
            count(*) FILTER (WHERE h.kind = 2), count(*) FILTER (WHERE h.kind = 3)
        FROM generate_series(first_day::TIMESTAMP, today::TIMESTAMP, '1 day') AS d (day)
        LEFT JOIN happened AS h ON h.day = d.day::DATE
        GROUP BY d.day
        ORDER BY d.day;
END
$$;
