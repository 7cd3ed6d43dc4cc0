"""The SQL of the lists of a company's campaigns, composed from filters, sort order and page.

A statement has only the conditions that its filters need, so that PostgreSQL plans it for the index of its order. Only
text of this module is composed; every value of a caller is a parameter.

``list_sql(CampaignFilters(7, status="active"), PageRequest("name", "asc", 50, 0))`` gives a statement with
``WHERE company_id = $1 AND status = $2 AND deleted_at IS NULL ORDER BY name asc, created_at asc, id asc LIMIT $3
OFFSET $4`` and the parameters ``[7, "active", 50, 0]``.
"""

from datetime import timedelta
from typing import Final, TypeAlias

from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest, SortField
from shared.datetimes import midnight

Statement: TypeAlias = tuple[str, list[object]]
"""SQL and the values of its parameters, ``$1`` first."""

_SORT_COLUMNS: Final[dict[SortField, tuple[str, ...]]] = {
    "created_at": ("created_at", "id"),
    "name": ("name", "created_at", "id"),
    "status": ("status", "created_at", "id"),
    "priority": ("priority", "created_at", "id"),
}
"""The columns of each sort field's index. All have one direction, so that one index serves both orders."""

_SEARCH_TEXT: Final = "(name || ' ' || coalesce(description, ''))"
"""The text that a search looks into, as the index ``campaigns_search`` has it."""

# The page is cut before totals are joined: as many look-ups as the page has rows, however many campaigns there are.
# Members are in the contract's order. Prompts and scripts are left out: GET of one campaign returns them.
_LIST: Final = """
SELECT ({total})::bigint AS total, (
    SELECT string_agg(row_to_json(campaign)::text, ',')
    FROM (
        SELECT id, name, description, status, priority, campaign_type, calls_per_day,
            greatest(leads, 0) AS total_leads, coalesce(calls, 0) AS completed_calls,
            coalesce(successful_calls, 0) AS successful_calls, coalesce(calls - successful_calls, 0) AS failed_calls,
            calling_hours_start, calling_hours_end, time_zone, working_days,
            ai_voice_id, ai_voice_language, ai_voice_gender,
            max_attempts_per_lead, retry_delay_minutes, call_duration_limit, budget, cost_per_call,
            owner_id, team_members, tags,
            to_char(start_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_date,
            to_char(end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_date,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at,
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at
        FROM ({page}) AS page LEFT JOIN campaign_totals ON campaign_id = id
        ORDER BY {page_order}
    ) AS campaign
) AS campaigns
"""
_PROGRESS: Final = """
SELECT id, name, status, priority, calls_per_day, time_zone,
    greatest(leads, 0) AS leads, coalesce(calls, 0) AS calls, coalesce(successful_calls, 0) AS successful_calls
FROM ({page}) AS page LEFT JOIN campaign_totals ON campaign_id = id
ORDER BY {page_order}
"""


def list_sql(filters: CampaignFilters, page: PageRequest) -> Statement:
    """Return the statement of one row: ``total`` and ``campaigns``, the inside of a JSON array or NULL.

    Total and page come from one statement, so that they agree.
    """
    query = _FilteredQuery(filters)
    sql = _LIST.format(total=query.total(), page=query.page(page), page_order=_order_by(page, "page."))
    return sql, query.parameters


def count_sql(filters: CampaignFilters) -> Statement:
    """Return the statement that counts the campaigns of all pages."""
    query = _FilteredQuery(filters)
    return f"SELECT ({query.total()})::bigint", query.parameters


def progress_sql(filters: CampaignFilters, page: PageRequest) -> Statement:
    """Return the statement of a page's campaigns with their daily limits and totals."""
    query = _FilteredQuery(filters)
    return _PROGRESS.format(page=query.page(page), page_order=_order_by(page, "page.")), query.parameters


class _FilteredQuery:
    """The conditions of filters and the parameters that they refer to."""

    def __init__(self, filters: CampaignFilters) -> None:
        self.parameters: list[object] = []
        # `counted` conditions apply to campaign_counts too, `uncounted` ones only to campaigns.
        self._counted = [f"company_id = {self._parameter(filters.company_id)}"]
        self._uncounted: list[str] = []
        if filters.status is not None:
            self._counted.append(f"status = {self._parameter(filters.status)}")
        if filters.priority is not None:
            self._counted.append(f"priority = {self._parameter(filters.priority)}")
        if filters.is_active is not None:
            self._counted.append("status = 'active'" if filters.is_active else "status <> 'active'")
        if filters.starts_on_or_after is not None:
            self._uncounted.append(f"start_date >= {self._parameter(midnight(filters.starts_on_or_after))}")
        if filters.ends_on_or_before is not None:
            next_day = filters.ends_on_or_before + timedelta(days=1)
            self._uncounted.append(f"end_date < {self._parameter(midnight(next_day))}")
        for word in filters.search_words:
            self._uncounted.append(f"{_SEARCH_TEXT} ILIKE {self._parameter(f'%{_escape_like(word)}%')}")
        self._conditions = " AND ".join((*self._counted, *self._uncounted, "deleted_at IS NULL"))

    def total(self) -> str:
        """Return the query of the number of campaigns."""
        if self._uncounted:
            return f"SELECT count(*) FROM campaigns WHERE {self._conditions}"
        return f"SELECT coalesce(sum(campaigns), 0) FROM campaign_counts WHERE {' AND '.join(self._counted)}"

    def page(self, page: PageRequest) -> str:
        """Return the query of one page's campaigns."""
        return (
            f"SELECT * FROM campaigns WHERE {self._conditions} ORDER BY {_order_by(page)}"
            f" LIMIT {self._parameter(page.limit)} OFFSET {self._parameter(page.offset)}"
        )

    def _parameter(self, value: object) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}"


def _order_by(page: PageRequest, prefix: str = "") -> str:
    return ", ".join(f"{prefix}{column} {page.order}" for column in _SORT_COLUMNS[page.sort])


def _escape_like(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
