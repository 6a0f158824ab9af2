-- name: response_times
-- asks: how are the response times of each provider and model distributed in a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: provider, model, from_ms (inclusive), until_ms (exclusive), turns (requests); by provider, model, from_ms. Eight steps a power of ten, so that 100 ms and 100 s can be read in one picture; empty ones are left out
WITH step AS (
    SELECT
        provider,
        model,
        toInt32(floor(8 * log10(greatest(assumeNotNull(response_time_ms), 1)))) AS place
    FROM provider_requests
    WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
        AND response_time_ms IS NOT NULL
)

SELECT
    provider,
    model,
    pow(10, place / 8.0) AS from_ms,
    pow(10, (place + 1) / 8.0) AS until_ms,
    count() AS turns
FROM step
GROUP BY provider, model, place
ORDER BY provider, model, place
