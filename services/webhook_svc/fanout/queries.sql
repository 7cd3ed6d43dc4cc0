-- name: lock_subscribers
-- FOR KEY SHARE: a subscription cannot be deleted between this query and its deliveries; everything else may change.
SELECT id, company_id, types FROM subscriptions
WHERE company_id = ANY($1::bigint[]) AND state <> 'disabled'
ORDER BY id FOR KEY SHARE

-- name: add_events
-- An event that arrives again is stored already.
INSERT INTO events (id, type, body)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])
ON CONFLICT DO NOTHING

-- name: add_deliveries
-- An event that arrives again after its inbox row was deleted has its deliveries already.
WITH added AS (
    INSERT INTO deliveries (subscription_id, event_id)
    SELECT subscription_id, event_id
    FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS new (subscription_id, event_id, position)
    ORDER BY position
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT count(*) FROM added
