-- name: get_entity_cooccurrence_network
-- asks: with what is an entity named together, by its name (in any case) or its id?
-- params: entity_id_filter, limit_count (10), min_count (2: pairs seen less often are left out)
-- returns: entity1_id, entity1_type, entity1_name, entity2_id, entity2_type, entity2_name,
--   cooccurrence_count, confidence; the most frequent first
CREATE TEMP MACRO get_entity_cooccurrence_network(
    entity_id_filter, limit_count := 10, min_count := 2
) AS TABLE
    SELECT c.entity1_id, c.entity1_type, c.entity1_name,
        c.entity2_id, c.entity2_type, c.entity2_name, c.cooccurrence_count, c.confidence
    FROM entity_cooccurrences AS c
    WHERE (
            entity_id_filter IN (c.entity1_id, c.entity2_id)
            OR lower(entity_id_filter) IN (lower(c.entity1_name), lower(c.entity2_name))
        )
        AND c.cooccurrence_count >= COALESCE(min_count, 2)
    ORDER BY c.cooccurrence_count DESC, c.confidence DESC, c.pattern_id
    LIMIT GREATEST(COALESCE(limit_count, 10), 0);
