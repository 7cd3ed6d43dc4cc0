"""The servers of the campaign benchmark: floor, service and gateway, with a thousand campaigns and with a million."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import asyncpg
import psutil

from benchmarks import campaign_floor, campaign_rows
from benchmarks.own_stack import own_stack
from deploy.local.child import Child
from deploy.local.probes import http_ok
from deploy.local.processes import PRODUCT, Product
from deploy.local.stack import Stack
from services.campaign_svc.app import MIGRATIONS
from shared.database.migrations import upgrade

_API: Final = "campaign-api"
_PRODUCT: Final = Product(
    migrations=tuple(spec for spec in PRODUCT.migrations if spec.database == "campaigns"),
    processes=tuple(spec for spec in PRODUCT.processes if spec.name == _API),
    gateway_upstreams=dict.fromkeys(PRODUCT.gateway_upstreams, _API),
)
"""The campaign API and the gateway alone: any other process would take its part of the machine's cores."""


@dataclass(frozen=True, slots=True)
class Size:
    """A table of campaigns."""

    campaigns: int
    """How many the large company has."""
    small_companies: int
    database: str


THOUSAND: Final = Size(1_000, 1, "campaigns_thousand")
MILLION: Final = Size(1_000_000, 100, "campaigns")
"""In the stack's own database: the one behind the gateway."""
SIZES: Final = (THOUSAND, MILLION)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured."""

    name: str
    size: Size
    port: int
    pids: tuple[int, ...]
    """The processes that answer."""
    application: str
    """Their name in PostgreSQL."""


class CampaignStack:
    """A stack of the campaign API alone, with a database for each size."""

    def __init__(self, stack: Stack, exits: ExitStack) -> None:
        self._stack = stack
        self._exits = exits
        self.token = stack.token

    def superuser_url(self, database: str) -> str:
        """The address of a database, as the superuser."""
        return _in_database(self._stack.servers.postgres.url, database)

    async def fill(self, size: Size) -> None:
        """Make the size's database, where it is not the stack's own, and its campaigns."""
        owner_url = self._stack.servers.postgres.database_url("campaigns")
        if size.database != "campaigns":
            admin = await asyncpg.connect(self.superuser_url("postgres"))
            await admin.execute(f"CREATE DATABASE {size.database} OWNER campaigns")
            await admin.close()
            await asyncio.to_thread(upgrade, MIGRATIONS, _in_database(owner_url, size.database))
        await campaign_rows.load(
            self.superuser_url(size.database), campaigns=size.campaigns, small_companies=size.small_companies
        )

    def start(self) -> list[Server]:
        """Start what the stack does not run by itself; returns all servers."""
        service = _server("service", MILLION, self._stack.process(_API), self._stack.state.port(_API), _API)
        gateway = self._stack.process("gateway")
        workers = [worker.pid for worker in psutil.Process(gateway.pid).children()]
        return [
            *(self._started("floor", size, ("-m", "benchmarks.campaign_floor")) for size in SIZES),
            self._started("service", THOUSAND, ("-m", "services.campaign_svc", "api")),
            service,
            replace(service, name="gateway", port=self._stack.gateway_port, pids=(*workers, *service.pids)),
        ]

    def _started(self, name: str, size: Size, arguments: tuple[str, ...]) -> Server:
        """A process with the settings of the stack's own campaign API, on the database of a size."""
        state = self._stack.state
        program = f"{name}-{size.campaigns}"
        state.claim_ports([program])
        port = state.port(program)
        own = self._stack.process(_API).command
        changed = {"DATABASE_URL": _in_database(own.env["DATABASE_URL"], size.database), "PORT": str(port)}
        command = replace(own, name=program, argv=(sys.executable, *arguments), env={**own.env, **changed})
        child = Child(state, command, lambda: http_ok(port, "/openapi.json"))
        self._exits.callback(child.stop)
        child.start()
        application = campaign_floor.NAME if name == "floor" else _API
        return _server(name, size, child, port, application)


def _server(name: str, size: Size, child: Child, port: int, application: str) -> Server:
    assert child.pid is not None
    return Server(name, size, port, (child.pid,), application)


def _in_database(url: str, database: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{database}"


@contextmanager
def campaign_stack() -> Iterator[CampaignStack]:
    """A stack of its own, of which nothing is left afterwards."""
    with own_stack(_PRODUCT) as stack, ExitStack() as exits:
        yield CampaignStack(stack, exits)
