"""Uploads to the service itself, without the gateway and its limits."""

import asyncio
import socket
from urllib.parse import urlsplit

import orjson
import pytest

from tests.fixtures.gateway import Caller, Gateway
from tests.fixtures.lead_service import LeadService
from tests.fixtures.waiting import DEADLINE_SECONDS

COMPANY = 7
COMPANY_PATH = f"/api/company/voice-leads/company/{COMPANY}"
MEGABYTE = 1024 * 1024
BOUNDARY = "b0undary"
FORM_START = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\nphone\n'.encode()
)


def chunked_form_begun(api: Gateway, path: str) -> socket.socket:
    """A connection on which a file is being sent: the headers, and the start of a form without a length."""
    url = urlsplit(str(api.http.base_url))
    connection = socket.create_connection((url.hostname or "", url.port or 0), timeout=DEADLINE_SECONDS)
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: leads\r\n"
        f"Authorization: {api.headers(COMPANY)['Authorization']}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
        + chunk(FORM_START)
    )
    return connection


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def send_on_and_on(connection: socket.socket, most: int) -> tuple[int, bytes]:
    """Send rows until the server closes the connection; returns the number of bytes sent, and the response."""
    rows = b"4155550100\n" * 6000
    sent = 0
    response = b""
    with connection:
        try:
            while sent < most:
                connection.sendall(chunk(rows))
                sent += len(rows)
        except ConnectionError:
            pass  # the server closed the connection
        try:
            while received := connection.recv(65536):
                response += received
        except ConnectionError:
            pass  # the end of the response
    return sent, response


@pytest.mark.parametrize(
    ("path", "limit", "message"),
    [("import", 10 * MEGABYTE, "Error importing leads"), ("do-not-call/import", MEGABYTE, "Error importing numbers")],
)
async def test_an_upload_without_a_length_is_cut_off_at_the_limit(
    lead_service: LeadService, path: str, limit: int, message: str
) -> None:
    async with lead_service.api() as api:
        connection = await asyncio.to_thread(chunked_form_begun, api, f"{COMPANY_PATH}/{path}")
        sent, response = await asyncio.to_thread(send_on_and_on, connection, 100 * MEGABYTE)
        still_there = await Caller(api, COMPANY).get(f"/api/voice-leads/company/{COMPANY}")

    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert orjson.loads(body) == {"message": message, "error": f"File size exceeds {limit // MEGABYTE}MB limit"}
    # The bytes beyond the limit filled the buffers between client and server.
    assert limit < sent < limit + 40 * MEGABYTE
    assert still_there.status_code == 200
    assert await lead_service.value("SELECT count(*) FROM imports") == 0


async def test_an_incomplete_form_stores_nothing(lead_service: LeadService) -> None:
    async with lead_service.api() as api:
        (await asyncio.to_thread(chunked_form_begun, api, Caller(api, COMPANY).import_path)).close()
        still_there = await Caller(api, COMPANY).get(f"/api/voice-leads/company/{COMPANY}")

    assert still_there.status_code == 200
    assert await lead_service.value("SELECT count(*) FROM imports") == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("multipart/form-data", b"anything", id="no boundary"),
        pytest.param(f"multipart/form-data; boundary={BOUNDARY}", b"anything", id="no parts"),
        pytest.param(f"multipart/form-data; boundary={BOUNDARY}", FORM_START[:40], id="no end"),
        pytest.param(
            f"multipart/form-data; boundary={BOUNDARY}",
            FORM_START
            + f'1\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="campaign_id"\r\n\r\n1\r\n'.encode()
            + f"--{BOUNDARY}\r\n".encode(),
            id="whole parts, but no end",
        ),
        pytest.param(
            f"multipart/form-data; boundary={BOUNDARY}",
            (FORM_START + b"1\r\n") * 2 + f"--{BOUNDARY}--\r\n".encode(),
            id="two files",
        ),
    ],
)
async def test_a_malformed_form_is_rejected(lead_service: LeadService, content_type: str, body: bytes) -> None:
    async with lead_service.api() as api:
        caller = Caller(api, COMPANY)
        headers = caller.headers | {"Content-Type": content_type}
        response = await api.http.post(caller.import_path, content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["message"] == "Error importing leads"
