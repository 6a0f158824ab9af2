-- name: get_user_preferences_summary
-- asks: what is preferred by a user, as learned from that user alone? What was muted is left out.
-- params: p_user_id
-- returns: preference_type, preference_value, confidence, frequency; the most certain first
CREATE TEMP MACRO get_user_preferences_summary(p_user_id) AS TABLE
    SELECT p.preference_type, p.preference_value, p.confidence, p.frequency
    FROM user_preferences AS p
    WHERE p.user_id = p_user_id
    ORDER BY p.confidence DESC, p.frequency DESC, p.preference_type, p.preference_value;
