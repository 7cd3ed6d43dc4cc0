-- Additions to the totals. Rows are in the order of keys, so that two writers of overlapping batches cannot deadlock.

-- name: add_totals
-- $1 campaign ids, $2 leads, $3 calls, $4 successful calls: what to add to each, arrays of one length.
INSERT INTO campaign_totals AS stored (campaign_id, leads, calls, successful_calls)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) ORDER BY 1
ON CONFLICT (campaign_id) DO UPDATE SET
    leads = stored.leads + excluded.leads,
    calls = stored.calls + excluded.calls,
    successful_calls = stored.successful_calls + excluded.successful_calls

-- name: add_calls
-- $1 campaign ids, $2 first moments of quarter-hours, $3 calls that started in them: arrays of one length.
INSERT INTO campaign_calls AS stored (campaign_id, quarter, calls)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) ORDER BY 1, 2
ON CONFLICT (campaign_id, quarter) DO UPDATE SET calls = stored.calls + excluded.calls
