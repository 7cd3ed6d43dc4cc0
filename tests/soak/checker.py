"""Compares what clients were promised with the three databases and the history of events."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import asyncpg

from services.analytics_svc.rollups.rollup_tables import DIMENSIONS, ROLLUPS, Grain, Rollup
from shared.events.leads import LeadCallAttempted, LeadCreated
from shared.messaging.event_history import read_history
from tests.soak.clients import Promises

_PRINTED = 5
"""Most findings of one kind that are named."""


@dataclass
class Findings:
    """What is not as it must be, and how much was looked at."""

    looked_at: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, what: str, wrong: object) -> None:
        """Note ``wrong``, if it is anything, as what is wrong about ``what``."""
        if wrong:
            listed = sorted(wrong, key=repr)[:_PRINTED] if isinstance(wrong, set | list | dict) else wrong
            self.wrong.append(f"{what}: {len(wrong) if hasattr(wrong, '__len__') else wrong}, as {listed}")


@dataclass(frozen=True, slots=True)
class Databases:
    """Connections to the three databases."""

    campaigns: "asyncpg.Connection[asyncpg.Record]"
    leads: "asyncpg.Connection[asyncpg.Record]"
    analytics: "asyncpg.Connection[asyncpg.Record]"


async def has_open_work(databases: Databases) -> int:
    """How many messages still wait in outboxes, and imports for their end."""
    questions = [
        (databases.campaigns, "SELECT count(*) FROM outbox"),
        (databases.leads, "SELECT count(*) FROM outbox"),
        (databases.leads, "SELECT count(*) FROM imports WHERE finished_at IS NULL"),
    ]
    return sum([int(await database.fetchval(question)) for database, question in questions])


async def check(databases: Databases, amqp_url: str, promises: Promises) -> Findings:
    """Look at everything."""
    findings = Findings(wrong=[f"an unexpected response: {error}" for error in promises.errors[:_PRINTED]])
    await _check_promises(findings, databases, promises)
    await _check_history(findings, databases, amqp_url)
    await _check_projections(findings, databases)
    await _check_queues(findings, amqp_url)
    return findings


async def _check_promises(findings: Findings, databases: Databases, promises: Promises) -> None:
    """Each confirmed change is there once; an unconfirmed one at most once, and an import whole or not at all."""
    leads = Counter({row[0]: row[1] for row in await databases.leads.fetch(_LEADS_BY_MARK)})
    imported = {mark for marks in promises.imports for mark in marks}
    possible = set().union(*promises.unsure_imports, promises.unsure_leads)
    findings.looked_at["leads"] = leads.total()
    findings.expect("confirmed leads that are not there", {*promises.leads, *imported} - leads.keys())
    findings.expect("leads that are there twice", {mark for mark, count in leads.items() if count > 1})
    findings.expect("leads that no client created", leads.keys() - {*promises.leads, *imported, *possible})
    partly = [marks for marks in promises.unsure_imports if 0 < len(marks & leads.keys()) < len(marks)]
    findings.expect("imports that are there in part", partly)

    calls = Counter({row[0]: row[1] for row in await databases.leads.fetch(_CALLS_BY_MARK)})
    findings.looked_at["calls"] = calls.total()
    findings.expect("confirmed calls that are not there", promises.calls - calls.keys())
    findings.expect("calls that are there twice", {mark for mark, count in calls.items() if count > 1})
    findings.expect("calls that no client made", calls.keys() - promises.calls - promises.unsure_calls)

    converted = {row[0]: float(row[1]) for row in await databases.leads.fetch(_CONVERSIONS)}
    findings.looked_at["conversions"] = len(converted)
    sure = promises.conversions.items() - {
        (lead, promises.conversions.get(lead)) for lead in promises.unsure_conversions
    }
    findings.expect(
        "conversions that are not as confirmed", {lead for lead, value in sure if converted.get(lead) != value}
    )
    findings.expect("leads with another number of attempts than calls", await databases.leads.fetch(_ATTEMPTS))


async def _check_history(findings: Findings, databases: Databases, amqp_url: str) -> None:
    """Every lead and call was emitted once, and of every lead its last version."""
    emitted: dict[str, Any] = {"created": Counter(), "calls": Counter(), "versions": defaultdict(int)}
    seen = set()
    async for events in read_history(amqp_url):
        for event in events:
            if event.id in seen:
                continue  # the same event again, as may be
            seen.add(event.id)
            if event.type == LeadCallAttempted.event_type:
                emitted["calls"].update(attempt["id"] for attempt in event.data["call_attempts"])  # type: ignore[attr-defined]
            elif event.type.startswith("lead."):
                for lead in event.data["leads"]:  # type: ignore[attr-defined]
                    emitted["versions"][lead["id"]] = max(emitted["versions"][lead["id"]], lead["version"])
                    if event.type == LeadCreated.event_type:
                        emitted["created"][lead["id"]] += 1
    findings.looked_at["events"] = len(seen)
    leads = {row[0]: row[1] for row in await databases.leads.fetch("SELECT id, version FROM leads")}
    calls = {row[0] for row in await databases.leads.fetch("SELECT id FROM call_attempts")}
    findings.expect("leads whose creation was not emitted just once", _not_once(emitted["created"], leads))
    findings.expect("calls that were not emitted just once", _not_once(emitted["calls"], calls))
    findings.expect(
        "leads whose last version was not emitted", {id_ for id_, v in leads.items() if emitted["versions"][id_] != v}
    )


def _not_once(emitted: Counter[int], there: Any) -> set[int]:
    return {number for number in {*emitted, *there} if emitted[number] != 1 or number not in there}


async def _check_projections(findings: Findings, databases: Databases) -> None:
    """Facts, sums and totals agree with the leads and calls."""
    for name, own, theirs in (
        ("leads", _LEADS, _LEAD_FACTS),
        ("calls", _CALLS, _CALL_FACTS),
        ("conversions", _CONVERSIONS, _CONVERSION_FACTS),
    ):
        original = {tuple(row) for row in await databases.leads.fetch(own)}
        projected = {tuple(row) for row in await databases.analytics.fetch(theirs)}
        findings.expect(f"{name} that reports do not know", original - projected)
        findings.expect(f"{name} that only reports know", projected - original)
    for rollup in ROLLUPS:
        for grain in rollup.grains:
            findings.expect(f"sums of {grain.table.name}", await databases.analytics.fetch(_differences(rollup, grain)))
    totals = {tuple(row) for row in await databases.campaigns.fetch(_TOTALS)}
    counted = {tuple(row) for row in await databases.leads.fetch(_COUNTED)}
    findings.looked_at["campaigns"] = len(counted)
    findings.expect("totals of campaigns that are not their leads and calls", totals ^ counted)


async def _check_queues(findings: Findings, amqp_url: str) -> None:
    """Nothing became a dead letter."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        for queue in _QUEUES:
            count = (await channel.declare_queue(f"{queue}.dead", passive=True)).declaration_result.message_count
            findings.expect(f"dead letters of {queue}", count)


def _differences(rollup: Rollup, grain: Grain) -> str:
    """The sums that are not those of the facts, from either side."""
    at = "date_bin('15 minutes', {0}, TIMESTAMPTZ '2000-01-01 00:00+00')"
    if grain.unit == "day":
        at = "date_trunc('day', {0}, 'UTC')"
    keys = ["company_id", at.format(rollup.moment), *(DIMENSIONS[name] for name in grain.dimensions)]
    names = [measure.name for measure in grain.measures]
    facts = ", ".join([*keys, *(f"sum({measure.of_fact})" for measure in grain.measures)])
    something = " OR ".join(f"{name} <> 0" for name in names)
    rows = f"{rollup.facts} AS changed"
    source = rows if rollup.source == "changed" else rollup.source.replace("FROM changed", f"FROM {rows}")
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    made = f"SELECT {facts} FROM {source} GROUP BY {numbers}"
    stored = f"SELECT {', '.join([*grain.keys, *names])} FROM {grain.table.name} WHERE {something}"
    return f"(({made}) EXCEPT ({stored})) UNION ALL (({stored}) EXCEPT ({made})) LIMIT {_PRINTED}"


_QUEUES = ("analytics.projections", "campaign.totals", "lead.campaigns", "lead.imports")
_LEADS_BY_MARK = "SELECT last_name, count(*) FROM leads WHERE source = 'soak' GROUP BY last_name"
_CALLS_BY_MARK = "SELECT notes, count(*) FROM call_attempts GROUP BY notes"
_CONVERSIONS = "SELECT id, conversion_value FROM leads WHERE conversion_value IS NOT NULL"
_CONVERSION_FACTS = "SELECT lead_id, conversion_value FROM lead_conversions"
_ATTEMPTS = """
    SELECT leads.id FROM leads LEFT JOIN call_attempts ON call_attempts.lead_id = leads.id
    GROUP BY leads.id HAVING attempts <> count(call_attempts.id)
"""
_LEADS = "SELECT id, company_id, campaign_id, version, status, assigned_to, created_at FROM leads"
_LEAD_FACTS = f"{_LEADS} WHERE NOT deleted"
_CALLS = "SELECT id, company_id, campaign_id, lead_id, agent_id, started_at, duration, successful FROM call_attempts"
_CALL_FACTS = _CALLS.replace("call_attempts", "calls")
_TOTALS = "SELECT campaign_id, leads, calls, successful_calls FROM campaign_totals"
_COUNTED = """
    SELECT campaign_id, count(*), coalesce(sum(calls), 0)::bigint, coalesce(sum(successful), 0)::bigint
    FROM leads LEFT JOIN (
        SELECT lead_id, count(*) AS calls, count(*) FILTER (WHERE successful) AS successful
        FROM call_attempts GROUP BY lead_id
    ) AS of_lead ON of_lead.lead_id = leads.id
    GROUP BY campaign_id
"""
