-- Campaigns as the API returns them, built as JSON by PostgreSQL: no row is turned into objects on the way.
-- The columns are those of services/campaign_svc/campaigns/campaign.py, in its order.

-- name: get_json
-- One campaign of the companies that a caller may see. $1 id, $2 company ids.
SELECT version, row_to_json(campaign)::text
FROM (
    SELECT id, version, company_id, name, description, status, priority, campaign_type, calls_per_day,
        calling_hours_start, calling_hours_end, time_zone, working_days,
        ai_voice_id, ai_voice_language, ai_voice_gender, system_prompt, script_template, fallback_script,
        max_attempts_per_lead, retry_delay_minutes, call_duration_limit, success_criteria,
        expected_completion_date, budget, cost_per_call, owner_id, team_members, tags, notes,
        to_char(start_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_date,
        to_char(end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_date,
        recurrence_rule,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at
    FROM campaigns
    WHERE id = $1 AND company_id = ANY($2) AND deleted_at IS NULL
) AS campaign

-- name: list_json
-- Every campaign of the companies, oldest first. $1 company ids; $2 status and $3 priority, NULL for any.
SELECT row_to_json(campaign)::text
FROM (
    SELECT id, version, company_id, name, description, status, priority, campaign_type, calls_per_day,
        calling_hours_start, calling_hours_end, time_zone, working_days,
        ai_voice_id, ai_voice_language, ai_voice_gender, system_prompt, script_template, fallback_script,
        max_attempts_per_lead, retry_delay_minutes, call_duration_limit, success_criteria,
        expected_completion_date, budget, cost_per_call, owner_id, team_members, tags, notes,
        to_char(start_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_date,
        to_char(end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_date,
        recurrence_rule,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at
    FROM campaigns
    WHERE company_id = ANY($1) AND deleted_at IS NULL
        AND ($2::campaign_status IS NULL OR status = $2)
        AND ($3::campaign_priority IS NULL OR priority = $3)
    ORDER BY id
) AS campaign
