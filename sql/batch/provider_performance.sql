-- name: provider_performance
-- asks: how each provider's models did, in chats, as seats of debates, as voters and as judges
-- params: none
-- returns: one row a kind, provider and model; times in millionths of a millisecond, sums whole
WITH asked AS (
    SELECT
        requests.kind,
        requests.provider,
        requests.model,
        requests.debate_seat,
        requests.is_judged,
        requests.has_won,
        requests.is_error,
        requests.response_time,
        requests.confidence,
        requests.input_tokens,
        requests.output_tokens,
        requests.cost
    FROM requests
    INNER JOIN inputs ON inputs.source = requests.source
),
timed AS (
    SELECT
        kind,
        provider,
        model,
        response_time,
        row_number() OVER (PARTITION BY kind, provider, model ORDER BY response_time) AS place,
        count(*) OVER (PARTITION BY kind, provider, model) AS timed
    FROM asked
    WHERE response_time IS NOT NULL
),
spread AS (
    SELECT
        kind,
        provider,
        model,
        min(CASE WHEN place * 100 >= timed * 50 THEN response_time END) AS time_p50,
        min(CASE WHEN place * 100 >= timed * 95 THEN response_time END) AS time_p95
    FROM timed
    GROUP BY kind, provider, model
),
summed AS (
    SELECT
        kind,
        provider,
        model,
        cast(count(*) AS BIGINT) AS requests,
        cast(sum(CASE WHEN is_error THEN 1 ELSE 0 END) AS BIGINT) AS errors,
        cast(count(response_time) AS BIGINT) AS timed,
        cast(sum(response_time) AS BIGINT) AS time_sum,
        cast(count(confidence) AS BIGINT) AS rated,
        cast(sum(confidence) AS BIGINT) AS confidence_sum,
        cast(sum(input_tokens) AS BIGINT) AS input_tokens,
        cast(sum(output_tokens) AS BIGINT) AS output_tokens,
        cast(sum(cost) AS BIGINT) AS cost_sum,
        cast(count(DISTINCT debate_seat) AS BIGINT) AS debates,
        cast(count(DISTINCT CASE WHEN is_judged THEN debate_seat END) AS BIGINT) AS debates_judged,
        cast(count(DISTINCT CASE WHEN has_won THEN debate_seat END) AS BIGINT) AS wins
    FROM asked
    GROUP BY kind, provider, model
)
SELECT
    summed.kind,
    summed.provider,
    summed.model,
    summed.requests,
    summed.errors,
    summed.timed,
    summed.time_sum,
    spread.time_p50,
    spread.time_p95,
    summed.rated,
    summed.confidence_sum,
    summed.input_tokens,
    summed.output_tokens,
    summed.cost_sum,
    summed.debates,
    summed.debates_judged,
    summed.wins
FROM summed
LEFT JOIN spread
    ON spread.kind = summed.kind AND spread.provider = summed.provider AND spread.model = summed.model
ORDER BY summed.kind, summed.provider, summed.model
