-- name: relationship_mining
-- asks: which entities are named together in windows of messages, and how often
-- params: min_confidence (0 to 1), window_size (messages), min_cooccurrence (windows), max_paired (entities of a window)
-- returns: one row a pair, the lesser id first; the most frequent pair first
WITH shown AS (
    SELECT
        coalesce(merged.shown, mentions.entity_id) AS entity_id,
        concat(
            CASE WHEN coalesce(merged.shown, mentions.entity_id) = mentions.entity_id THEN '0' ELSE '1' END,
            mentions.time,
            mentions.message_id,
            lpad(cast(mentions.place AS STRING), 9, '0')
        ) AS named_at,
        mentions.name,
        mentions.type,
        mentions.mentions,
        mentions.confidence,
        mentions.conversation_id,
        mentions.message_id,
        mentions.place,
        mentions.time,
        cast(floor(mentions.position / $window_size) AS BIGINT) AS place_in_windows
    FROM mentions
    INNER JOIN inputs ON inputs.source = mentions.source
    LEFT JOIN merged ON merged.entity_id = mentions.entity_id
),
entities AS (
    SELECT
        entity_id,
        min_by(name, named_at) AS name,
        min_by(type, named_at) AS type
    FROM shown
    GROUP BY entity_id
    HAVING max(confidence) >= $min_confidence
),
named AS (
    SELECT
        shown.conversation_id,
        shown.place_in_windows,
        shown.entity_id,
        sum(shown.mentions) AS mentions,
        min(shown.time) AS time
    FROM shown
    INNER JOIN entities ON entities.entity_id = shown.entity_id
    GROUP BY shown.conversation_id, shown.place_in_windows, shown.entity_id
),
ranked AS (
    SELECT
        conversation_id,
        place_in_windows,
        entity_id,
        time,
        row_number() OVER (
            PARTITION BY conversation_id, place_in_windows ORDER BY mentions DESC, entity_id
        ) AS place
    FROM named
),
kept AS (
    SELECT
        conversation_id,
        place_in_windows,
        entity_id,
        time
    FROM ranked
    WHERE place <= $max_paired
),
windows AS (
    SELECT
        entity_id,
        cast(count(*) AS BIGINT) AS windows
    FROM kept
    GROUP BY entity_id
),
total AS (
    SELECT cast(count(*) AS BIGINT) AS all_windows
    FROM (SELECT DISTINCT conversation_id, place_in_windows FROM kept) AS every
),
pairs AS (
    SELECT
        one.entity_id AS source,
        two.entity_id AS target,
        cast(count(*) AS BIGINT) AS cooccurrences,
        cast(count(DISTINCT one.conversation_id) AS BIGINT) AS conversation_count,
        min(greatest(one.time, two.time)) AS first_seen,
        max(greatest(one.time, two.time)) AS last_seen
    FROM kept AS one
    INNER JOIN kept AS two
        ON two.conversation_id = one.conversation_id
        AND two.place_in_windows = one.place_in_windows
        AND two.entity_id > one.entity_id
    GROUP BY one.entity_id, two.entity_id
    HAVING count(*) >= $min_cooccurrence
),
spoken AS (
    SELECT DISTINCT
        message_id,
        entity_id
    FROM shown
    WHERE place < $max_paired
),
together AS (
    SELECT
        one.entity_id AS source,
        two.entity_id AS target,
        cast(count(*) AS BIGINT) AS same_message
    FROM spoken AS one
    INNER JOIN spoken AS two
        ON two.message_id = one.message_id
        AND two.entity_id > one.entity_id
    GROUP BY one.entity_id, two.entity_id
)
SELECT
    pairs.source,
    a.name AS source_name,
    a.type AS source_type,
    pairs.target,
    b.name AS target_name,
    b.type AS target_type,
    pairs.cooccurrences,
    coalesce(together.same_message, cast(0 AS BIGINT)) AS same_message,
    pairs.conversation_count,
    source_windows.windows AS source_windows,
    target_windows.windows AS target_windows,
    total.all_windows,
    pairs.first_seen,
    pairs.last_seen
FROM pairs
INNER JOIN entities AS a ON a.entity_id = pairs.source
INNER JOIN entities AS b ON b.entity_id = pairs.target
INNER JOIN windows AS source_windows ON source_windows.entity_id = pairs.source
INNER JOIN windows AS target_windows ON target_windows.entity_id = pairs.target
LEFT JOIN together ON together.source = pairs.source AND together.target = pairs.target
CROSS JOIN total
ORDER BY pairs.cooccurrences DESC, pairs.source, pairs.target
