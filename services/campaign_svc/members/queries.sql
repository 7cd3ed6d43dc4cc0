-- Members as the API returns them, built as JSON by PostgreSQL.

-- name: get_json
-- One member. $1 company id, $2 member id.
SELECT row_to_json(member)::text
FROM (
    SELECT id, company_id, name,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at
    FROM members
    WHERE company_id = $1 AND id = $2 AND deleted_at IS NULL
) AS member

-- name: list_json
-- The number of a company's members, and one page of them by id. $1 company id, $2 limit, $3 offset.
SELECT (SELECT count(*) FROM members WHERE company_id = $1 AND deleted_at IS NULL) AS total, (
    SELECT string_agg(row_to_json(member)::text, ',')
    FROM (
        SELECT id, company_id, name,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at
        FROM members
        WHERE company_id = $1 AND deleted_at IS NULL
        ORDER BY id LIMIT $2 OFFSET $3
    ) AS member
) AS members
