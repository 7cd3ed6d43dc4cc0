-- name: calls_between
-- Calls of each campaign in a period of its own; campaigns without calls are left out. Periods begin and end on a
-- quarter of an hour. $1 campaign ids, $2 first moments, $3 moments after the last, three arrays of one length.
SELECT period.campaign_id, sum(campaign_calls.calls)::bigint
FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS period (campaign_id, start, stop)
JOIN campaign_calls ON campaign_calls.campaign_id = period.campaign_id AND quarter >= start AND quarter < stop
GROUP BY period.campaign_id
