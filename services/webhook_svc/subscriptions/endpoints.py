"""Subscriptions over HTTP."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy import RowMapping
from starlette.responses import Response

from services.webhook_svc.destinations import Destinations
from services.webhook_svc.subscriptions import errors, repository, service
from services.webhook_svc.subscriptions.schemas import (
    SECRET_EXAMPLE,
    SHOWN_EXAMPLE,
    SecretAnswer,
    SubscriptionAnswer,
    SubscriptionBody,
    SubscriptionDone,
    SubscriptionList,
    SubscriptionShown,
    TestAnswer,
)
from shared.http.app import Transaction
from shared.http.auth import CompanyInPath
from shared.http.idempotency import REPLAYED_HEADER, IdempotencyKey, in_progress, once, other_content
from shared.http.json import JsonResponse
from shared.http.openapi import documented_errors, documented_response
from shared.http.parameters import MAX_ID, StrictIntText

router = APIRouter(prefix="/api/webhooks/company/{companyId}/subscriptions", tags=["Webhooks"])

CREATED: Final = "Subscription created successfully"
UPDATED: Final = "Subscription updated successfully"
DELETED: Final = "Subscription deleted successfully"
ROTATED: Final = "Secret rotated successfully"
RESUMED: Final = "Subscription resumed successfully"
TESTED: Final = "Test event queued"

_WITH_SECRET: Final = {**SHOWN_EXAMPLE, "secret": SECRET_EXAMPLE}
_LOCATION: Final[dict[str, Any]] = {"Location": {"description": "Path of what was made.", "schema": {"type": "string"}}}

SubscriptionInPath = Annotated[
    int,
    Path(alias="subscriptionId", ge=1, le=MAX_ID, description="Id of the subscription.", examples=[7]),
    StrictIntText,
]


def _destinations(request: Request) -> Destinations:
    destinations: Destinations = request.app.state.destinations
    return destinations


Allowed = Annotated[Destinations, Depends(_destinations)]


def _shown(row: RowMapping) -> dict[str, object]:
    renamed = {
        "active": row["state"] != "disabled",
        "status": row["state"],
        "status_reason": row["reason"],
        "status_since": row["state_since"],
    }
    return {name: renamed[name] if name in renamed else row[name] for name in SubscriptionShown.model_fields}


@router.post(
    "",
    summary="Create webhook subscription",
    status_code=201,
    responses={
        201: documented_response(
            SecretAnswer,
            "Created. The secret is in this answer and in no other.",
            {"message": CREATED, "data": _WITH_SECRET},
            headers=_LOCATION | REPLAYED_HEADER,
        ),
        **documented_errors(
            errors.bad_url("https://127.0.0.1/hook", "must not lead to an address that is not public"),
            errors.too_many(),
            in_progress(),
            other_content(),
        ),
    },
)
async def create_webhook_subscription(
    request: Request,
    company_id: CompanyInPath,
    body: SubscriptionBody,
    key: IdempotencyKey,
    destinations: Allowed,
    connection: Transaction,
) -> Response:
    """Have events of the company posted to a URL, from now on. Each is signed as Standard Webhooks has it."""

    async def create() -> JsonResponse:
        row = await service.create(connection, destinations, company_id, body)
        answer = {"message": CREATED, "data": {**_shown(row), "secret": row["secret"]}}
        return JsonResponse(
            answer, status_code=201, headers={"Location": f"{request.url.path.rstrip('/')}/{row['id']}"}
        )

    return await once(connection, key, create)


@router.get(
    "",
    summary="List webhook subscriptions",
    responses={200: documented_response(SubscriptionList, "All of them.", {"total": 1, "data": [SHOWN_EXAMPLE]})},
)
async def list_webhook_subscriptions(company_id: CompanyInPath, connection: Transaction) -> JsonResponse:
    """Every subscription of a company, oldest first."""
    rows = await repository.of_company(connection, company_id)
    return JsonResponse({"total": len(rows), "data": [_shown(row) for row in rows]})


@router.get(
    "/{subscriptionId}",
    summary="Get webhook subscription",
    responses={
        200: documented_response(SubscriptionShown, "The subscription.", SHOWN_EXAMPLE),
        **documented_errors(errors.not_found()),
    },
)
async def get_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """One subscription, and how it fares."""
    return JsonResponse(_shown(await service.get(connection, company_id, subscription_id)))


@router.put(
    "/{subscriptionId}",
    summary="Update webhook subscription",
    responses={
        200: documented_response(SubscriptionAnswer, "Updated.", {"message": UPDATED, "data": SHOWN_EXAMPLE}),
        **documented_errors(
            errors.bad_url("https://127.0.0.1/hook", "must not lead to an address that is not public"),
            errors.not_found(),
        ),
    },
)
async def update_webhook_subscription(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    body: SubscriptionBody,
    destinations: Allowed,
    connection: Transaction,
) -> JsonResponse:
    """Replace a subscription; its secret stays. What waits for it is sent to the new URL.

    `active: false` disables it: events pass it by, and what it had already waits. `active: true` has it get events
    again and what waited with them; a paused one stays paused until it is resumed.
    """
    row = await service.replace(connection, destinations, company_id, subscription_id, body)
    return JsonResponse({"message": UPDATED, "data": _shown(row)})


@router.delete(
    "/{subscriptionId}",
    summary="Delete webhook subscription",
    responses={
        200: documented_response(SubscriptionDone, "Deleted.", {"message": DELETED}),
        **documented_errors(errors.not_found()),
    },
)
async def delete_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Delete a subscription with its log. What waits for it is not sent; an attempt that is under way is made."""
    await service.delete(connection, company_id, subscription_id)
    return JsonResponse({"message": DELETED})


@router.post(
    "/{subscriptionId}/rotate-secret",
    summary="Rotate webhook secret",
    responses={
        200: documented_response(
            SecretAnswer,
            "The new secret, in this answer and in no other.",
            {"message": ROTATED, "data": {**_WITH_SECRET, "previous_secret_until": "2024-03-02T09:00:00Z"}},
        ),
        **documented_errors(errors.not_found()),
    },
)
async def rotate_webhook_secret(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Give a subscription a new secret. For a day its messages are signed with the one it had, too: two signatures with
    a space between them, so that a receiver may change over when it likes. A second rotation ends the oldest secret."""
    row = await service.rotate_secret(connection, company_id, subscription_id)
    return JsonResponse({"message": ROTATED, "data": {**_shown(row), "secret": row["secret"]}})


@router.post(
    "/{subscriptionId}/resume",
    summary="Resume webhook subscription",
    responses={
        200: documented_response(SubscriptionAnswer, "Active.", {"message": RESUMED, "data": SHOWN_EXAMPLE}),
        **documented_errors(errors.not_found(), errors.switched_off()),
    },
)
async def resume_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Send to a paused subscription again: first what was kept for it, oldest first, and then what comes."""
    row = await service.resume(connection, company_id, subscription_id)
    return JsonResponse({"message": RESUMED, "data": _shown(row)})


@router.post(
    "/{subscriptionId}/test",
    summary="Test webhook subscription",
    status_code=202,
    responses={
        202: documented_response(
            TestAnswer,
            "It is sent within a second; the delivery tells what came of it.",
            {"message": TESTED, "delivery_id": 4711},
            headers=_LOCATION,
        ),
        **documented_errors(errors.not_found(), errors.switched_off(), errors.paused()),
    },
)
async def test_webhook_subscription(
    request: Request, company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Send a `webhook.ping.v1`, signed as any event, once, whatever the subscription's types."""
    delivery_id = await service.test(connection, company_id, subscription_id)
    path = request.url.path.rstrip("/").removesuffix("/test")
    return JsonResponse(
        {"message": TESTED, "delivery_id": delivery_id},
        status_code=202,
        headers={"Location": f"{path}/deliveries/{delivery_id}"},
    )
