-- Statements of reports over campaigns, members and words; the queries of sums are composed (rollups/sum_sql.py).

-- name: campaigns
-- A company's campaigns, deleted ones too. $1 company id, $2 campaign ids or null for all.
SELECT id, company_id, name, status, priority, budget, cost_per_call, deleted, team_members FROM campaigns
WHERE company_id = $1 AND ($2::bigint[] IS NULL OR id = ANY($2)) ORDER BY id

-- name: campaign
-- One campaign, deleted or not. $1 id.
SELECT id, company_id, name, status, priority, budget, cost_per_call, deleted, team_members FROM campaigns WHERE id = $1

-- name: member_names
-- A company's members. $1 company id.
SELECT id, name FROM members WHERE company_id = $1 AND NOT deleted

-- name: common_words
-- The words that occur in the most calls of a campaign. $1 campaign id, $2 limit.
SELECT word, calls FROM campaign_words WHERE campaign_id = $1 ORDER BY calls DESC, word COLLATE "C" LIMIT $2

-- name: ledger_mark
-- The mark of a company's facts. $1 company id.
SELECT mark FROM ledgers WHERE company_id = $1
