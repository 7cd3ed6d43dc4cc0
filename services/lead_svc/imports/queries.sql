-- Statements of imports on the driver.

-- name: next_lead_ids
-- $1 ids of the leads' sequence, and the time that the transaction writes on its rows.
-- One array instead of many rows, and the sequence by its name: nextval would look up a regclass once per row.
SELECT array_agg(nextval('leads_id_seq')) AS ids, now() AS now FROM generate_series(1, $1)
