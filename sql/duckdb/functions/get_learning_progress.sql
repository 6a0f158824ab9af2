-- name: get_learning_progress
-- asks: what was learned on each of the last days, today included, in UTC?
-- params: days_back (30; 0 to 36500)
-- returns: date, patterns_learned, insights_generated, knowledge_accumulated; days_back + 1 rows
CREATE TEMP MACRO get_learning_progress(days_back := 30) AS TABLE
    SELECT CAST(d.day AS DATE) AS "date",
        CAST(COALESCE(h.patterns_learned, 0) AS BIGINT) AS patterns_learned,
        CAST(COALESCE(h.insights_generated, 0) AS BIGINT) AS insights_generated,
        CAST(COALESCE(h.knowledge_accumulated, 0) AS BIGINT) AS knowledge_accumulated
    FROM (
        SELECT (SELECT t.today FROM learning_today AS t) - CAST(n.number AS INTEGER) AS day
        FROM range(
            CASE
                WHEN COALESCE(days_back, -1) BETWEEN 0 AND 36500 THEN days_back + 1
                ELSE error('days_back must be 0 to 36500, not ' || COALESCE(days_back, 'NULL'))
            END
        ) AS n (number)
    ) AS d
    LEFT JOIN learning_days AS h ON h.day = d.day
    ORDER BY d.day;
