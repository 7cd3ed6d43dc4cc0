-- Statements over the state of the roll-ups; those over the sums are composed (maintenance_sql.py, sum_sql.py).

-- name: store_version
-- Record the version of the definitions that the roll-ups are summed by. $1 version.
UPDATE rollup_state SET version = $1

-- name: are_outdated
-- Whether the roll-ups were summed by another version; without any fact nothing can be outdated. $1 version.
SELECT NOT EXISTS (SELECT FROM rollup_state WHERE version = $1)
    AND (EXISTS (SELECT FROM leads) OR EXISTS (SELECT FROM calls))
