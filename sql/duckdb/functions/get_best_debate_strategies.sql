-- name: get_best_debate_strategies
-- asks: which provider wins most often from a position, or from any? Three attempts at least.
-- params: position_filter (NULL: any), limit_count (5)
-- returns: strategy_name, provider, "position", success_rate, avg_confidence, total_attempts;
--   the most successful first
CREATE TEMP MACRO get_best_debate_strategies(position_filter := NULL, limit_count := 5) AS TABLE
    SELECT s.strategy_name, s.provider, s."position", s.success_rate, s.avg_confidence,
        s.total_attempts
    FROM debate_strategy_success AS s
    WHERE (
            CAST(position_filter AS VARCHAR) IS NULL
            OR lower(s."position") = lower(CAST(position_filter AS VARCHAR))
        )
        AND s.total_attempts >= 3
    ORDER BY s.success_rate DESC, s.avg_confidence DESC NULLS LAST, s.total_attempts DESC,
        s.strategy_id
    LIMIT GREATEST(COALESCE(limit_count, 5), 0);
