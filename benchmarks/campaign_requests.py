"""The requests of the campaign benchmark: the same to every server, and every server must respond the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks.campaign_rows import FIRST_SMALL_COMPANY, LARGE_COMPANY, SMALL_COMPANY_CAMPAIGNS
from benchmarks.campaign_servers import MILLION, CampaignStack, Server, Size
from benchmarks.http_load import Client, rendered

_API: Final = "/api/voice-campaigns"
_EXAMPLE: Final = Path(__file__).parents[1] / "deploy" / "local" / "sample_campaign.json"
_MOST_IDS: Final = 1_000
_NEW: Final = ("id", "created_at", "updated_at")
"""What differs between two campaigns that were created alike."""


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request.

    Attributes
    ----------
    owner : str
        Which companies' campaigns, in words.
    target : float, optional
        Least part of the floor's throughput that the service must reach.
    """

    operation: str
    owner: str
    companies: tuple[int, ...]
    status: int = 200
    target: float | None = None


_OWNERS: Final = ((f"has {SMALL_COMPANY_CAMPAIGNS}", FIRST_SMALL_COMPANY), ("has them all", LARGE_COMPANY))
GETS: Final = tuple(Case("GET by id", owner, (company,), target=0.6) for owner, company in _OWNERS)
LISTS: Final = tuple(Case("list of 50", owner, (company,), target=0.5) for owner, company in _OWNERS)
# In many companies, since creations in one wait for each other; and in none that is read.
CREATE: Final = Case("create", "50 in turn", tuple(range(3, 53)), status=201)
Requests = Mapping[Case, Sequence[bytes]]


async def prepare(stack: CampaignStack, size: Size) -> Requests:
    """The requests to every server of a size, ready to be sent."""

    def request(method: str, path: str, company: int, body: bytes = b"") -> bytes:
        return rendered(method, f"{_API}{path}", {"Authorization": f"Bearer {stack.token(company)}"}, body)

    requests: dict[Case, Sequence[bytes]] = {}
    for case in GETS:
        (company,) = case.companies
        requests[case] = [request("GET", f"/{number}", company) for number in await _ids(stack, size, company)]
    for case in LISTS:
        (company,) = case.companies
        requests[case] = [request("GET", f"/company/{company}", company)]
    if size is MILLION:
        example = json.loads(_EXAMPLE.read_text())
        requests[CREATE] = [
            request("POST", "", company, json.dumps(example | {"company_id": company}).encode())
            for company in CREATE.companies
        ]
    return requests


async def _ids(stack: CampaignStack, size: Size, company: int) -> list[int]:
    """Campaigns of a company, from all over the table."""
    superuser = await asyncpg.connect(stack.superuser_url(size.database))
    try:
        query = "SELECT id FROM campaigns WHERE company_id = $1 ORDER BY hashint8(id) LIMIT $2"
        return [row["id"] for row in await superuser.fetch(query, company, _MOST_IDS)]
    finally:
        await superuser.close()


async def require_same_answers(clients: Mapping[Server, Client], size: Size, requests: Requests) -> None:
    """Raise unless every server of a size answers everything alike."""
    compared = [client for server, client in clients.items() if server.size is size]
    for case, (request, *_) in requests.items():
        answers = [_comparable(case, await client.body(request, status=case.status)) for client in compared]
        if any(answer != answers[0] for answer in answers):
            raise RuntimeError(f"{case.operation}: answers differ: {answers}")


def _comparable(case: Case, body: bytes) -> Any:  # noqa: ANN401 - JSON
    answer = json.loads(body)
    if case is CREATE:
        answer["data"] = {name: value for name, value in answer["data"].items() if name not in _NEW}
    return answer
