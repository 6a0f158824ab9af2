-- name: get_best_debate_strategies
-- asks: which provider wins most often from a position, or from any? Three attempts at least.
-- params: position_filter (NULL: any), limit_count (5)
-- returns: strategy_name, provider, "position", success_rate, avg_confidence, total_attempts;
--   the most successful first
CREATE OR REPLACE FUNCTION get_best_debate_strategies(
    position_filter TEXT DEFAULT NULL, limit_count INTEGER DEFAULT 5
)
RETURNS TABLE (
    strategy_name TEXT, provider TEXT, "position" TEXT, success_rate DOUBLE PRECISION,
    avg_confidence DOUBLE PRECISION, total_attempts BIGINT
)
LANGUAGE sql STABLE AS $$
    SELECT s.strategy_name, s.provider, s."position", s.success_rate::DOUBLE PRECISION,
        s.avg_confidence::DOUBLE PRECISION, s.total_attempts
    FROM debate_strategy_success AS s
    WHERE (position_filter IS NULL OR lower(s."position") = lower(position_filter))
        AND s.total_attempts >= 3
        AND COALESCE((
            SELECT r.action FROM pattern_review AS r
            WHERE r.pattern_id = s.strategy_id AND r.action IN ('mute', 'unmute')
            ORDER BY r.clock DESC, r.review_id DESC LIMIT 1
        ), '') <> 'mute'
    ORDER BY s.success_rate DESC, s.avg_confidence DESC NULLS LAST, s.total_attempts DESC,
        s.strategy_id
    LIMIT GREATEST(COALESCE(limit_count, 5), 0)
$$;
