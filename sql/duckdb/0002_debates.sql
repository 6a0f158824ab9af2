CREATE TABLE debate_metrics (
    timestamp TIMESTAMP NOT NULL,
    debate_id VARCHAR NOT NULL,
    conversation_id VARCHAR NOT NULL,
    round INTEGER NOT NULL,
    role VARCHAR NOT NULL,
    seat VARCHAR NOT NULL,
    position VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    response_time_ms DOUBLE,
    tokens_used BIGINT,
    confidence_score DOUBLE,
    cost_usd DOUBLE,
    error_count INTEGER NOT NULL
);
COMMENT ON TABLE debate_metrics IS 'One row a turn of a debate; role is answer, vote or judge; unknown measures are null';
CREATE TABLE debate_winners (
    timestamp TIMESTAMP NOT NULL,
    debate_id VARCHAR NOT NULL,
    conversation_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    winner_provider VARCHAR,
    winner_model VARCHAR,
    winner_position VARCHAR,
    total_rounds INTEGER NOT NULL,
    final_confidence DOUBLE,
    debate_duration_ms DOUBLE
);
COMMENT ON TABLE debate_winners IS 'One row a completed debate; the winner is null where there is none (tie, failed, cancelled)';
