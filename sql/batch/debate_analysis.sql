-- name: debate_analysis
-- asks: the debates of the input, over their rounds
-- params: none
-- returns: one row a debate, by id
SELECT
    debates.debate_id,
    debates.topic,
    debates.protocol,
    debates.outcome,
    debates.seats,
    debates.rounds,
    debates.turns,
    debates.failed_turns,
    debates.terms_first,
    debates.terms_last,
    debates.agreement_first,
    debates.agreement_last,
    debates.persistence,
    debates.confidence_first,
    debates.confidence_last,
    debates.winner_position,
    debates.winner_provider,
    debates.winner_model,
    debates.winner_confidence,
    debates.has_first_won,
    debates.has_longest_won
FROM debates
INNER JOIN inputs ON inputs.source = debates.source
ORDER BY debates.debate_id
