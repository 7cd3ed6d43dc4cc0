"""Sending a file that is made meanwhile, to clients that stay and to those that do not."""

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from services.lead_svc.exports.download import Download, Write
from tests.fixtures.waiting import DEADLINE_SECONDS


class Client:
    """An ASGI client: receives what is sent, and disconnects on request."""

    def __init__(self, *, takes: int | None = None) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self._takes = takes

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._takes is not None and len(self.sent) >= self._takes:
            await asyncio.Event().wait()
        self.sent.append(message)

    async def takes(self, download: Download) -> None:
        await download({"type": "http"}, self.receive, self.send)


def download(make: Any, **options: Any) -> Download:
    return Download(make, media_type="text/csv", headers={"X-Name": "value"}, **options)


async def test_every_piece_is_sent_and_then_the_end() -> None:
    async def make(write: Write) -> None:
        await write(b"one")
        await write(b"two")

    client = Client()
    await client.takes(download(make))

    start, *pieces = client.sent
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert {(b"content-type", b"text/csv; charset=utf-8"), (b"x-name", b"value")} <= set(start["headers"])
    assert [(piece["body"], piece["more_body"]) for piece in pieces] == [(b"one", True), (b"two", True), (b"", False)]


async def test_an_error_before_the_first_piece_sends_nothing() -> None:
    async def make(_write: Write) -> None:
        raise LookupError("nothing there")

    client = Client()
    with pytest.raises(LookupError):
        await client.takes(download(make))

    assert client.sent == []


async def test_an_error_after_the_first_piece_never_sends_the_end() -> None:
    async def make(write: Write) -> None:
        await write(b"one")
        raise LookupError("broke off")

    client = Client()
    with pytest.raises(LookupError):
        await client.takes(download(make))

    assert client.sent[-1] == {"type": "http.response.body", "body": b"one", "more_body": True}


async def test_the_producer_is_cancelled_and_awaited_when_its_client_disconnects() -> None:
    ended: list[str] = []

    async def make(write: Write) -> None:
        try:
            await write(b"one")
            client.gone.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as giving a connection back takes its time
            ended.append("let go")

    client = Client()
    with pytest.raises(ClientDisconnect):
        await client.takes(download(make))

    assert ended == ["let go"]


async def test_a_client_that_reads_nothing_counts_as_disconnected() -> None:
    async def make(write: Write) -> None:
        while True:
            await write(b"more")

    client = Client(takes=3)
    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(ClientDisconnect):
            await client.takes(download(make, stall_seconds=0.01))

    assert len(client.sent) == 3


async def test_the_producer_is_cancelled_with_the_request() -> None:
    cancelled = asyncio.Event()
    begun = asyncio.Event()

    async def make(_write: Write) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    request = asyncio.create_task(Client().takes(download(make)))
    await begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert cancelled.is_set()
