-- name: get_user_preferences_summary
-- asks: what is preferred by a user, as learned from that user alone? What was muted is left out.
-- params: p_user_id
-- returns: preference_type, preference_value, confidence, frequency; the most certain first
CREATE OR REPLACE FUNCTION get_user_preferences_summary(p_user_id TEXT)
RETURNS TABLE (
    preference_type TEXT, preference_value TEXT, confidence DOUBLE PRECISION, frequency BIGINT
)
LANGUAGE sql STABLE AS $$
    SELECT p.preference_type, p.preference_value, p.confidence, p.frequency
    FROM user_preferences AS p
    WHERE p.user_id = p_user_id
        AND COALESCE((
            SELECT r.action FROM pattern_review AS r
            WHERE r.pattern_id = p.pattern_id AND r.action IN ('mute', 'unmute')
            ORDER BY r.clock DESC, r.review_id DESC LIMIT 1
        ), '') <> 'mute'
    ORDER BY p.confidence DESC, p.frequency DESC, p.preference_type, p.preference_value
$$;
