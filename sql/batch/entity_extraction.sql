-- name: entity_extraction
-- asks: the entities that the input names, merged ones as one
-- params: min_confidence (0 to 1), types (joined by commas, or empty for all)
-- returns: one row an entity, the most mentioned first; sums are whole numbers
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
        mentions.aliases,
        mentions.mentions,
        mentions.confidence,
        mentions.confidence_parts,
        mentions.conversation_id,
        mentions.message_id,
        mentions.time
    FROM mentions
    INNER JOIN inputs ON inputs.source = mentions.source
    LEFT JOIN merged ON merged.entity_id = mentions.entity_id
),
entities AS (
    SELECT
        entity_id,
        min_by(name, named_at) AS name,
        min_by(type, named_at) AS type,
        array_sort(array_distinct(flatten(array_agg(aliases)))) AS aliases,
        cast(sum(mentions) AS BIGINT) AS mention_count,
        cast(count(DISTINCT message_id) AS BIGINT) AS message_count,
        cast(count(DISTINCT conversation_id) AS BIGINT) AS conversation_count,
        cast(sum(confidence_parts) AS BIGINT) AS confidence_sum,
        max(confidence) AS max_confidence,
        min(time) AS first_seen,
        max(time) AS last_seen
    FROM shown
    GROUP BY entity_id
)
SELECT
    entity_id,
    name,
    type,
    aliases,
    mention_count,
    message_count,
    conversation_count,
    confidence_sum,
    max_confidence,
    first_seen,
    last_seen
FROM entities
WHERE
    max_confidence >= $min_confidence
    AND ($types = '' OR instr(concat(',', $types, ','), concat(',', type, ',')) > 0)
ORDER BY mention_count DESC, entity_id
