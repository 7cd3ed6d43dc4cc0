-- Statements over facts that are not composed from columns (those are in statements.py).

-- name: lock_writer
-- Wait until no other transaction writes facts, and exclude them until this one ends.
-- A call looks up its campaign's terms, and terms look up the calls to which they apply: two transactions that wrote them
-- at the same time would not see each other's rows. Nor would two changes of one lead.
SELECT pg_advisory_xact_lock(7060003)

-- name: force_index_plans
-- Find rows by their keys until the transaction ends.
-- The plan to avoid: a table that grew since its statistics were made counts as a small one, so a sequential scan of the
-- whole table, once per batch or as the inner side of a join once per row of the batch, looks cheap.
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off

-- name: delete_leads
-- Mark stored leads as deleted. $1 ids.
UPDATE leads SET deleted = true FROM unnest($1::bigint[]) AS removed (id) WHERE leads.id = removed.id AND NOT deleted

-- name: calls_under
-- Ids of the calls of campaigns that started at or after a moment. $1 campaign ids, $2 moments.
SELECT DISTINCT calls.id
FROM unnest($1::bigint[], $2::timestamptz[]) AS changed (campaign_id, since)
JOIN calls ON calls.campaign_id = changed.campaign_id AND calls.started_at >= changed.since

-- name: count_contacts
-- Add new calls to their leads' number of attempts and first call. $1 lead ids, $2 starts.
INSERT INTO lead_contacts AS stored (lead_id, attempts, first_call_at)
SELECT lead_id, count(*), min(started_at)
FROM unnest($1::bigint[], $2::timestamptz[]) AS added (lead_id, started_at) GROUP BY lead_id ORDER BY lead_id
ON CONFLICT (lead_id) DO UPDATE SET
    attempts = stored.attempts + excluded.attempts,
    first_call_at = least(stored.first_call_at, excluded.first_call_at)

-- name: count_words
-- Count new calls under each word that occurs in their text. $1 campaign ids, $2 texts.
INSERT INTO campaign_words AS stored (campaign_id, word, calls)
SELECT campaign_id, word, count(*)
FROM unnest($1::bigint[], $2::text[]) AS added (campaign_id, call_text),
    unnest(tsvector_to_array(to_tsvector('said_words', call_text))) AS words (word)
WHERE char_length(word) >= 3
GROUP BY campaign_id, word ORDER BY campaign_id, word
ON CONFLICT (campaign_id, word) DO UPDATE SET calls = stored.calls + excluded.calls

-- name: mark_changed
-- Give companies a new mark. $1 company ids.
INSERT INTO ledgers (company_id, mark) SELECT unnest($1::bigint[]), gen_random_uuid()
ON CONFLICT (company_id) DO UPDATE SET mark = excluded.mark

-- name: mark_all_changed
-- Give every company a new mark.
UPDATE ledgers SET mark = gen_random_uuid()
