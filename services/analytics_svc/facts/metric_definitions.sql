-- The definitions of reported figures: what a call and a lead count as. docs/metrics.md states them in words.
--
-- This file is edited in place. `migrate` applies it again when a statement changes (shared/database/repeatable.py).
-- A change of what is summed also needs ROLLUPS_VERSION (services/analytics_svc/versions.py): stored sums were made by the
-- earlier definition until `make rebuild`. Every block is one statement.

-- name: drop_views
-- Both views go first: a view whose columns change cannot be replaced.
DROP VIEW IF EXISTS call_facts, lead_facts;

-- name: known_time_zone
-- The zone, or null when this PostgreSQL does not know it.
CREATE OR REPLACE FUNCTION known_time_zone(zone text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE zone;
    RETURN zone;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN NULL;
END $$;

-- name: call_facts
-- A call with its cost, and whether it was within calling hours and compliant. `terms` are the campaign's terms when the call began.
CREATE VIEW call_facts AS
SELECT
    calls.*,
    coalesce(reported_cost, terms.cost_per_call) AS cost,
    hours.within_hours,
    CASE
        WHEN coalesce(within_hours, regulatory, data_protection) IS NOT NULL
        THEN coalesce(within_hours, true) AND coalesce(regulatory, true) AND coalesce(data_protection, true)
    END AS compliant
FROM calls
LEFT JOIN LATERAL (
    SELECT * FROM campaign_terms
    WHERE campaign_terms.campaign_id = calls.campaign_id AND since <= started_at
    ORDER BY version DESC LIMIT 1
) AS terms ON true
CROSS JOIN LATERAL (SELECT started_at AT TIME ZONE terms.time_zone AS moment) AS local
CROSS JOIN LATERAL (
    SELECT
        CAST(moment AS time) AS clock,
        extract(isodow FROM moment) = ANY(working_days) AS works,
        extract(isodow FROM moment - interval '1 day') = ANY(working_days) AS worked_yesterday
) AS day
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN calling_hours_start < calling_hours_end
        THEN works AND clock >= calling_hours_start AND clock < calling_hours_end
        ELSE (works AND clock >= calling_hours_start) OR (worked_yesterday AND clock < calling_hours_end)
    END AS within_hours
) AS hours;

-- name: lead_facts
-- A lead with its place in the funnel: contacted, qualified (score of 60 or more, or high interest), promising, converted.
-- Response time runs from the assignment before the first call, else from creation.
CREATE VIEW lead_facts AS
SELECT
    leads.id, company_id, campaign_id, assigned_to AS agent_id, source, status, priority, lead_score,
    interest_level, has_email, has_first_name, created_at,
    coalesce(attempts, 0) AS attempts,
    CAST(floor(extract(epoch FROM greatest(
        first_call_at - coalesce(assigned.at, created_at), CASE WHEN first_call_at IS NOT NULL THEN interval '0' END
    ))) AS bigint) AS response_seconds,
    converted_at, conversion_value,
    converted, contacted, qualified,
    qualified AND NOT converted AND status IN ('pending', 'in_progress', 'scheduled') AS promising
FROM leads
LEFT JOIN lead_contacts ON lead_contacts.lead_id = leads.id
LEFT JOIN lead_conversions ON lead_conversions.lead_id = leads.id
LEFT JOIN LATERAL (
    SELECT max(at) AS at FROM lead_assignments WHERE lead_assignments.lead_id = leads.id AND at <= first_call_at
) AS assigned ON true
CROSS JOIN LATERAL (SELECT converted_at IS NOT NULL AS converted) AS end_of_funnel
CROSS JOIN LATERAL (SELECT converted OR first_call_at IS NOT NULL AS contacted) AS reached
CROSS JOIN LATERAL (
    SELECT contacted AND (
        converted OR coalesce(lead_score >= 60, false) OR coalesce(interest_level = 'high', false)
    ) AS qualified
) AS funnel
WHERE NOT deleted;

-- name: reconnect_consumers
-- A consumer's session has temporary tables with the columns of the views; a new session makes them again.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'analytics-events';
