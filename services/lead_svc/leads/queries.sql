-- Hot statements on the do-not-call list: SQLAlchemy costs more than they do. Its lock is an advisory lock of the company.

-- name: lock_do_not_call_list_shared
-- $1 company id, as text.
SELECT pg_advisory_xact_lock_shared(hashtextextended('do-not-call ' || $1::text, 0))

-- name: lock_do_not_call_list_exclusive
-- $1 company id, as text.
SELECT pg_advisory_xact_lock(hashtextextended('do-not-call ' || $1::text, 0))

-- name: find_listed_phones
-- Those of the numbers that are on the list. $1 company id, $2 numbers.
SELECT phone FROM do_not_call WHERE company_id = $1 AND phone = any($2::text[])
