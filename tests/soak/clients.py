"""Clients of the gateway, which record the responses that they got."""

import asyncio
import csv
import io
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

ROWS: Final = 200
"""Of an import."""
AGENTS: Final = (1, 5)
AWAY: Final = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
"""What may be answered while something was killed: try again."""
PATIENCE_SECONDS: Final = 60.0
"""How long a client repeats a request that must succeed in the end."""
PAUSE_SECONDS: Final = 0.25


@dataclass
class Promises:
    """The responses of all clients."""

    leads: dict[str, int] = field(default_factory=dict)
    """Marks of leads whose creation was confirmed, and their ids."""
    unsure_leads: set[str] = field(default_factory=set)
    """Marks of leads without a response about their creation."""
    imports: list[set[str]] = field(default_factory=list)
    """Marks of the leads of each confirmed import."""
    unsure_imports: list[set[str]] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    """Marks of confirmed call attempts."""
    unsure_calls: set[str] = field(default_factory=set)
    conversions: dict[int, float] = field(default_factory=dict)
    """Value last confirmed, by lead."""
    unsure_conversions: set[int] = field(default_factory=set)
    """Leads with a conversion without a response."""
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By operation and status; 0 where the connection broke."""
    errors: list[str] = field(default_factory=list)
    """Answers that must not be, whatever is killed."""

    @property
    def confirmed(self) -> int:
        """How many changes were confirmed."""
        return len(self.leads) + sum(map(len, self.imports)) + len(self.calls) + len(self.conversions)


class Client:
    """One client of one company, with a campaign of its own."""

    def __init__(self, http: httpx.AsyncClient, company_id: int, promises: Promises) -> None:
        self._http = http
        self._company_id = company_id
        self._promises = promises
        self._random = random.Random(company_id)
        self._numbers = 0
        self._campaign_id = 0
        self._ids: list[int] = []

    async def prepare(self, campaign: dict[str, Any]) -> None:
        """Create the campaign; nothing is killed yet."""
        body = campaign | {"company_id": self._company_id, "status": "active"}
        answer = await self._http.post("/api/voice-campaigns", json=body)
        self._campaign_id = answer.raise_for_status().json()["data"]["id"]

    async def work(self, until: float) -> None:
        """Do one thing after the other until a moment of ``time.monotonic``."""
        works: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, self._create),
            (35, self._call),
            (4, self._import),
            (6, self._convert),
            (10, self._assign),
            (5, self._assign_many),
            (10, self._read),
        ]
        weights, todo = zip(*works, strict=True)
        while time.monotonic() < until:
            work = self._random.choices(todo, weights)[0]
            if work in (self._create, self._import, self._read) or self._ids:
                await work()

    def _mark(self) -> str:
        self._numbers += 1
        return f"{self._company_id}-{self._numbers}"

    def _phone(self) -> str:
        return f"+1{415 + self._company_id % 100}{2_000_000 + self._numbers:07}"

    async def _request_stop(self, name: str, method: str, path: str, **request: Any) -> httpx.Response | None:
        """One request; None when no answer came. An answer that must not be is noted."""
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.TransportError:
            self._promises.answers[name, 0] += 1
            return None
        self._promises.answers[name, answer.status_code] += 1
        if not answer.is_success and answer.status_code not in {*AWAY, httpx.codes.CONFLICT, httpx.codes.ACCEPTED}:
            self._promises.errors.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        return answer

    async def _until_answered(self, name: str, path: str, body: dict[str, Any], key: str) -> httpx.Response | None:
        """The same request under the same key, until it succeeds; None if there was no response within the patience."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            answer = await self._request_stop(name, "POST", path, json=body, headers={"Idempotency-Key": key})
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code not in {*AWAY, httpx.codes.CONFLICT}:
                return None
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    async def _create(self) -> None:
        mark = self._mark()
        body = {
            "campaign_id": self._campaign_id,
            "company_id": self._company_id,
            "first_name": "Grace",
            "last_name": mark,
            "phone": self._phone(),
            "status": "pending",
            "source": "soak",
        }
        answer = await self._until_answered("create lead", "/api/voice-leads", body, f"lead-{mark}")
        if answer is None:
            self._promises.unsure_leads.add(mark)
            return
        number = answer.json()["data"]["id"]
        self._promises.leads[mark] = number
        self._ids.append(number)

    async def _call(self) -> None:
        mark = self._mark()
        lead = self._random.choice(self._ids)
        body = {
            "duration": self._random.randint(0, 300),
            "notes": mark,
            "status": "in_progress",
            "successful": self._random.random() < 0.4,
            "agent_id": self._random.randint(*AGENTS),
            "cost": 0.25,
        }
        answer = await self._until_answered("call", f"/api/voice-leads/{lead}/call-attempt", body, f"call-{mark}")
        (self._promises.calls if answer is not None else self._promises.unsure_calls).add(mark)

    async def _import(self) -> None:
        marks = []
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["phone", "last_name", "source"])
        for _ in range(ROWS):
            marks.append(self._mark())
            writer.writerow([self._phone(), marks[-1], "soak"])
        answer = await self._request_stop(
            "import",
            "POST",
            f"/api/company/voice-leads/company/{self._company_id}/import",
            files={"file": ("leads.csv", text.getvalue().encode(), "text/csv")},
            data={"campaign_id": str(self._campaign_id)},
        )
        confirmed = answer is not None and answer.status_code == httpx.codes.CREATED
        (self._promises.imports if confirmed else self._promises.unsure_imports).append(set(marks))

    async def _convert(self) -> None:
        lead, value = self._random.choice(self._ids), round(self._random.uniform(1, 1000), 2)
        answer = await self._request_stop("convert", "PATCH", f"/api/voice-leads/{lead}/convert", json={"value": value})
        if answer is not None and answer.is_success:
            self._promises.conversions[lead] = value
            self._promises.unsure_conversions.discard(lead)
        else:
            self._promises.unsure_conversions.add(lead)

    async def _assign(self) -> None:
        lead, agent = self._random.choice(self._ids), self._random.randint(*AGENTS)
        await self._request_stop("assign", "PATCH", f"/api/voice-leads/{lead}/assign", json={"assigned_to": agent})

    async def _assign_many(self) -> None:
        body = {
            "lead_ids": self._random.sample(self._ids, min(len(self._ids), 20)),
            "assigned_to": self._random.randint(*AGENTS),
        }
        path = f"/api/company/voice-leads/company/{self._company_id}/bulk-assign"
        await self._request_stop("bulk assign", "PATCH", path, json=body)

    async def _read(self) -> None:
        path = self._random.choice(
            [
                f"/api/voice-campaigns/company/{self._company_id}",
                f"/api/voice-campaigns/company/{self._company_id}/stats",
                f"/api/voice-leads/company/{self._company_id}/conversion-analysis",
                f"/api/voice-campaigns/{self._campaign_id}?company_id={self._company_id}",
            ]
        )
        await self._request_stop("read", "GET", path)
