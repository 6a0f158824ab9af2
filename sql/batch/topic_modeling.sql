-- name: topic_modeling
-- asks: how often the telling terms stand in each document, which is some messages in a row
-- params: document_size (messages), min_documents, max_share (of the documents, in thousandths), max_terms
-- returns: one row a document and term, by conversation, document and term
WITH counted AS (
    SELECT
        terms.conversation_id,
        cast(floor(terms.position / $document_size) AS BIGINT) AS document,
        terms.term,
        cast(sum(terms.mentions) AS BIGINT) AS mentions
    FROM terms
    INNER JOIN inputs ON inputs.source = terms.source
    GROUP BY terms.conversation_id, cast(floor(terms.position / $document_size) AS BIGINT), terms.term
),
total AS (
    SELECT count(*) AS documents
    FROM (SELECT DISTINCT conversation_id, document FROM counted) AS every
),
spread AS (
    SELECT
        term,
        count(*) AS documents
    FROM counted
    GROUP BY term
),
telling AS (
    SELECT
        spread.term,
        row_number() OVER (ORDER BY spread.documents DESC, spread.term) AS place
    FROM spread
    CROSS JOIN total
    WHERE
        spread.documents >= $min_documents
        AND spread.documents * 1000 <= total.documents * $max_share
)
SELECT
    counted.conversation_id,
    counted.document,
    counted.term,
    counted.mentions
FROM counted
INNER JOIN telling ON telling.term = counted.term
WHERE telling.place <= $max_terms
ORDER BY counted.conversation_id, counted.document, counted.term
