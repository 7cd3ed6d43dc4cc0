-- name: claim
-- A statement after `lock_ready`: its snapshot has what other processes claimed before those rows were locked.
WITH due AS (
    SELECT candidates.id FROM unnest($1::bigint[]) AS ready (subscription_id)
    JOIN subscriptions ON subscriptions.id = ready.subscription_id
    CROSS JOIN LATERAL (
        SELECT greatest(0, CASE WHEN failures >= $2::integer THEN 1 ELSE $3::bigint END - count(*)) AS slots
        FROM deliveries
        WHERE deliveries.subscription_id = ready.subscription_id AND claimed_by IS NOT NULL AND due_at > now()
    ) AS free
    CROSS JOIN LATERAL (
        SELECT id FROM deliveries
        WHERE deliveries.subscription_id = ready.subscription_id AND status = 'pending' AND due_at <= now()
        ORDER BY due_at, id LIMIT free.slots FOR UPDATE SKIP LOCKED
    ) AS candidates
    LIMIT $4::bigint
), claimed AS (
    UPDATE deliveries SET
        claimed_by = $5::uuid,
        due_at = now() + $6::interval,
        trying_since = coalesce(trying_since, now())
    FROM due WHERE deliveries.id = due.id
    RETURNING deliveries.id, subscription_id, event_id, tries, now() - trying_since AS tried_for
)
SELECT claimed.*, events.type, events.body, url, secret,
    CASE WHEN previous_secret_until > now() THEN previous_secret END AS previous_secret
FROM claimed
JOIN events ON events.id = claimed.event_id
JOIN subscriptions ON subscriptions.id = claimed.subscription_id
ORDER BY claimed.id

-- name: record_attempt
-- Does nothing when the lease has ended and another process has claimed the delivery since.
WITH completed AS (
    UPDATE deliveries SET
        status = $3::delivery_status, tries = tries + 1, claimed_by = NULL, due_at = now() + $4::interval
    WHERE id = $1::bigint AND claimed_by = $2::uuid
    RETURNING id
)
INSERT INTO attempts (delivery_id, number, started_at, milliseconds, http_status, error)
SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE delivery_id = id),
    $5::timestamptz, $6::integer, $7::smallint, $8::text
FROM completed
