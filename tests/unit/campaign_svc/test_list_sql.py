"""The SQL of lists: conditions for the filters alone, and every value of a caller as a parameter."""

from datetime import UTC, date, datetime

from services.campaign_svc.campaign_lists.filters import CampaignFilters, PageRequest
from services.campaign_svc.campaign_lists.list_sql import count_sql, list_sql, progress_sql
from shared.ids import CompanyId

BY_NAME = PageRequest("name", "asc", 50, 0)
EVERY_FILTER = CampaignFilters(
    CompanyId(7), "draft", "high", False, date(2024, 3, 1), date(2024, 12, 31), (r"50%_\off", "sale")
)


def test_a_list_has_the_conditions_of_its_filters_and_the_order_of_its_sort_field() -> None:
    sql, parameters = list_sql(CampaignFilters(CompanyId(7), status="active"), BY_NAME)
    assert (
        "SELECT * FROM campaigns WHERE company_id = $1 AND status = $2 AND deleted_at IS NULL"
        " ORDER BY name asc, created_at asc, id asc LIMIT $3 OFFSET $4"
    ) in sql
    assert parameters == [7, "active", 50, 0]


def test_the_total_is_summed_from_the_counts_where_these_know_every_filter() -> None:
    sql, parameters = count_sql(CampaignFilters(CompanyId(7), "active", "low", True))
    assert "FROM campaign_counts WHERE company_id = $1 AND status = $2 AND priority = $3 AND status = 'active'" in sql
    assert parameters == [7, "active", "low"]


def test_the_total_is_counted_where_the_counts_do_not_know_a_filter() -> None:
    sql, _ = count_sql(CampaignFilters(CompanyId(7), search_words=("sale",)))
    assert "SELECT count(*) FROM campaigns WHERE" in sql
    assert "campaign_counts" not in sql


def test_every_value_of_a_caller_is_a_parameter() -> None:
    expected = [
        *(7, "draft", "high"),
        *(datetime(2024, 3, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        *(r"%50\%\_\\off%", "%sale%"),
    ]
    for sql, parameters in (list_sql(EVERY_FILTER, BY_NAME), progress_sql(EVERY_FILTER, BY_NAME)):
        assert parameters == [*expected, 50, 0]
        assert all(f"${position}" in sql for position in range(1, len(parameters) + 1))
        assert "50%" not in sql
