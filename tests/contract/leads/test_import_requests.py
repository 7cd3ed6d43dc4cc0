"""Parts and headers of an import request, and the location of its job."""

import pytest

from tests.contract.leads.rejections import GOOD_FILE
from tests.fixtures.gateway import Caller

MAX_ID = 2**63 - 1


async def test_an_unknown_import_is_not_found(caller: Caller) -> None:
    response = await caller.get(f"{caller.import_path}s/{MAX_ID}")

    assert response.status_code == 404
    assert response.json() == {"message": "Import not found", "error": "Import not found"}


async def test_the_import_of_another_company_is_not_found(caller: Caller, stranger: Caller) -> None:
    [lead] = await caller.imported(GOOD_FILE, await caller.create_campaign())

    assert (await caller.get(f"{caller.import_path}s/{lead['import_id']}")).status_code == 200
    assert (await stranger.get(f"{stranger.import_path}s/{lead['import_id']}")).status_code == 404


@pytest.mark.parametrize(
    "preference", ["respond-async", "Respond-Async", "wait=10, respond-async", "respond-async; x=1"]
)
async def test_respond_async_gets_202(caller: Caller, preference: str) -> None:
    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", GOOD_FILE)},
        data={"campaign_id": str(await caller.create_campaign())},
        headers=caller.headers | {"Prefer": preference},
    )

    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "respond-async"
    assert (await caller.ended_job(response.headers["Location"]))["status"] == "completed"


@pytest.mark.parametrize("preference", ["return=minimal", "wait=10", "no-respond-async"])
async def test_other_preferences_change_nothing(caller: Caller, preference: str) -> None:
    response = await caller.gateway.http.post(
        caller.import_path,
        files={"file": ("leads.csv", GOOD_FILE)},
        data={"campaign_id": str(await caller.create_campaign())},
        headers=caller.headers | {"Prefer": preference},
    )

    assert response.status_code == 201
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("Kunden März 🎉.csv", "Kunden März 🎉.csv"),
        ("C:\\Users\\me\\leads.csv", "leads.csv"),
        ("../../etc/leads.csv", "leads.csv"),
        ("leads; new.csv", "leads; new.csv"),
        ("n" * 300 + ".csv", "n" * 251 + ".csv"),
    ],
)
async def test_a_job_has_the_name_of_its_file(caller: Caller, sent: str, expected: str) -> None:
    campaign_id = await caller.create_campaign()

    response = await caller.import_file(GOOD_FILE, campaign_id, filename=sent, respond_async=True)

    assert response.status_code == 202, response.text
    assert response.json()["data"]["filename"] == expected


@pytest.mark.parametrize("charset", ["utf-16", "hex", "no-such-charset", "utf-7"])
async def test_the_declared_charset_of_a_form_is_harmless(caller: Caller, charset: str) -> None:
    campaign_id = await caller.create_campaign()
    body = (
        (
            f'--x\r\nContent-Disposition: form-data; name="campaign_id"\r\n\r\n{campaign_id}\r\n'
            '--x\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\n'
        ).encode()
        + GOOD_FILE
        + b"\r\n--x--\r\n"
    )
    headers = caller.headers | {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}

    response = await caller.gateway.http.post(caller.import_path, content=body, headers=headers)

    assert response.status_code in {201, 400}
