"""Endpoints of subscriptions."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request

from services.webhook_svc.domain.destinations import DestinationPolicy
from services.webhook_svc.subscriptions import errors, service
from services.webhook_svc.subscriptions.schemas import (
    READ_EXAMPLE,
    SECRET_EXAMPLE,
    SubscriptionCreate,
    SubscriptionListResponse,
    SubscriptionRead,
    SubscriptionResponse,
    SubscriptionSecretResponse,
    SubscriptionTestResponse,
    SubscriptionUpdate,
)
from shared.http.app import Transaction
from shared.http.auth import CompanyInPath
from shared.http.idempotency import REPLAYED_HEADER, IdempotencyKey
from shared.http.json import JsonResponse
from shared.http.openapi import MessageResponse, documented_errors, documented_response
from shared.idempotent_execution import in_progress, other_content
from shared.ids import MAX_ID, SubscriptionId
from shared.schema import StrictIntText

router = APIRouter(prefix="/api/webhooks/company/{companyId}/subscriptions", tags=["Webhooks"])

CREATED: Final = "Subscription created successfully"
UPDATED: Final = "Subscription updated successfully"
DELETED: Final = "Subscription deleted successfully"
ROTATED: Final = "Secret rotated successfully"
RESUMED: Final = "Subscription resumed successfully"
TESTED: Final = "Test event queued"

_WITH_SECRET: Final = {**READ_EXAMPLE, "secret": SECRET_EXAMPLE}
_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Path of the created resource.", "schema": {"type": "string"}}
}
_URL_ERROR: Final = errors.url_not_allowed("https://127.0.0.1/hook", "must not lead to an address that is not public")

SubscriptionInPath = Annotated[
    SubscriptionId,
    Path(alias="subscriptionId", ge=1, le=MAX_ID, description="Id of the subscription.", examples=[7]),
    StrictIntText,
]


def _destinations(request: Request) -> DestinationPolicy:
    destinations: DestinationPolicy = request.app.state.destinations
    return destinations


Destinations = Annotated[DestinationPolicy, Depends(_destinations)]
"""Parameter of an endpoint that takes a URL: the destinations that the operator allows."""


@router.post(
    "",
    summary="Create webhook subscription",
    status_code=201,
    responses={
        201: documented_response(
            SubscriptionSecretResponse,
            "Created. No other response contains the secret.",
            {"message": CREATED, "data": _WITH_SECRET},
            headers=_LOCATION | REPLAYED_HEADER,
        ),
        **documented_errors(_URL_ERROR, errors.too_many_subscriptions(), in_progress(), other_content()),
    },
)
async def create_webhook_subscription(
    request: Request,
    company_id: CompanyInPath,
    body: SubscriptionCreate,
    key: IdempotencyKey,
    destinations: Destinations,
    connection: Transaction,
) -> JsonResponse:
    """Create a subscription: from now on, events of the company are posted to its URL.

    Each message is signed as Standard Webhooks describes."""
    created = await service.create(connection, key, destinations, company_id, body.values())
    return JsonResponse(
        SubscriptionSecretResponse.of(CREATED, created.result).model_dump(),
        status_code=201,
        headers={"Location": f"{request.url.path.rstrip('/')}/{created.result.id}", **created.headers},
    )


@router.get(
    "",
    summary="List webhook subscriptions",
    responses={
        200: documented_response(SubscriptionListResponse, "Every subscription.", {"total": 1, "data": [READ_EXAMPLE]})
    },
)
async def list_webhook_subscriptions(company_id: CompanyInPath, connection: Transaction) -> JsonResponse:
    """List every subscription of a company, oldest first."""
    subscriptions = await service.list_of_company(connection, company_id)
    return JsonResponse(SubscriptionListResponse.of(subscriptions).model_dump())


@router.get(
    "/{subscriptionId}",
    summary="Get webhook subscription",
    responses={
        200: documented_response(SubscriptionRead, "The subscription.", READ_EXAMPLE),
        **documented_errors(errors.subscription_not_found()),
    },
)
async def get_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Get a subscription with its status."""
    subscription = await service.get(connection, company_id, subscription_id)
    return JsonResponse(SubscriptionRead.model_validate(subscription).model_dump())


@router.put(
    "/{subscriptionId}",
    summary="Update webhook subscription",
    responses={
        200: documented_response(SubscriptionResponse, "Updated.", {"message": UPDATED, "data": READ_EXAMPLE}),
        **documented_errors(_URL_ERROR, errors.subscription_not_found()),
    },
)
async def update_webhook_subscription(
    company_id: CompanyInPath,
    subscription_id: SubscriptionInPath,
    body: SubscriptionUpdate,
    destinations: Destinations,
    connection: Transaction,
) -> JsonResponse:
    """Replace a subscription; its secret stays. Pending deliveries are sent to the new URL.

    `active: false` disables the subscription: later events skip it, and its pending deliveries are held.
    `active: true` enables a disabled subscription: its held deliveries are sent, and so are later events. A paused
    subscription stays paused until it is resumed.
    """
    updated = await service.update(connection, destinations, company_id, subscription_id, body.values())
    return JsonResponse(SubscriptionResponse.of(UPDATED, updated).model_dump())


@router.delete(
    "/{subscriptionId}",
    summary="Delete webhook subscription",
    responses={
        200: documented_response(MessageResponse, "Deleted.", {"message": DELETED}),
        **documented_errors(errors.subscription_not_found()),
    },
)
async def delete_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Delete a subscription with its pending deliveries and its log. An attempt that is in progress is finished."""
    await service.delete(connection, company_id, subscription_id)
    return JsonResponse({"message": DELETED})


@router.post(
    "/{subscriptionId}/rotate-secret",
    summary="Rotate webhook secret",
    responses={
        200: documented_response(
            SubscriptionSecretResponse,
            "The new secret. No other response contains it.",
            {"message": ROTATED, "data": {**_WITH_SECRET, "previous_secret_until": "2024-03-02T09:00:00Z"}},
        ),
        **documented_errors(errors.subscription_not_found()),
    },
)
async def rotate_webhook_secret(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Give a subscription a new secret.

    For 24 hours each message has two signatures with a space between them: one of the new secret, one of the previous
    secret. A receiver can change its secret at any time within these hours. A second rotation ends the oldest secret
    at once.
    """
    rotated = await service.rotate_secret(connection, company_id, subscription_id)
    return JsonResponse(SubscriptionSecretResponse.of(ROTATED, rotated).model_dump())


@router.post(
    "/{subscriptionId}/resume",
    summary="Resume webhook subscription",
    responses={
        200: documented_response(SubscriptionResponse, "Active.", {"message": RESUMED, "data": READ_EXAMPLE}),
        **documented_errors(errors.subscription_not_found(), errors.subscription_disabled()),
    },
)
async def resume_webhook_subscription(
    company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Resume a paused subscription: its retained events are sent first, oldest first, then new events."""
    resumed = await service.resume(connection, company_id, subscription_id)
    return JsonResponse(SubscriptionResponse.of(RESUMED, resumed).model_dump())


@router.post(
    "/{subscriptionId}/test",
    summary="Test webhook subscription",
    status_code=202,
    responses={
        202: documented_response(
            SubscriptionTestResponse,
            "Queued; the event is sent within a second. The delivery shows the result.",
            {"message": TESTED, "delivery_id": 4711},
            headers=_LOCATION,
        ),
        **documented_errors(
            errors.subscription_not_found(), errors.subscription_disabled(), errors.subscription_paused()
        ),
    },
)
async def test_webhook_subscription(
    request: Request, company_id: CompanyInPath, subscription_id: SubscriptionInPath, connection: Transaction
) -> JsonResponse:
    """Send a test event `webhook.ping.v1` once, signed as any event, whatever the subscription's types."""
    delivery_id = await service.test(connection, company_id, subscription_id)
    return JsonResponse(
        {"message": TESTED, "delivery_id": delivery_id},
        status_code=202,
        headers={"Location": f"{request.url.path.rstrip('/').removesuffix('/test')}/deliveries/{delivery_id}"},
    )
