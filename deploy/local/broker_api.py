"""Accounts on a broker by way of its management HTTP API."""

import httpx

from deploy.local.errors import StackError
from deploy.local.subscribers import Subscriber

ANSWER_SECONDS = 15.0
NO_SUCH = httpx.codes.NOT_FOUND


def put_subscriber(management_url: str, vhost: str, subscriber: Subscriber, password: str) -> None:
    """Make the account, or give it this password; whoever is connected with an older one is cut off.

    Parameters
    ----------
    management_url
        With the name and password of an administrator.

    Raises
    ------
    StackError
        If the broker does not answer, or refuses.
    """
    name = subscriber.name
    rights = {"configure": subscriber.configure, "write": subscriber.write, "read": subscriber.read}
    try:
        with httpx.Client(base_url=management_url, timeout=ANSWER_SECONDS, trust_env=False) as api:
            # Its queues' limits first: it never has a queue without them.
            for policy in subscriber.policies:
                content = {"pattern": policy.pattern, "definition": policy.definition, "apply-to": "queues"}
                api.put(f"/api/policies/{vhost}/{policy.name}", json=content).raise_for_status()
            api.put(f"/api/users/{name}", json={"password": password, "tags": ""}).raise_for_status()
            api.put(f"/api/permissions/{vhost}/{name}", json=rights).raise_for_status()
            cut = api.delete(f"/api/connections/username/{name}")
            if cut.status_code != NO_SUCH:
                cut.raise_for_status()
    except httpx.HTTPError as error:
        msg = f"RabbitMQ did not make the account {name}: {error}"
        raise StackError(msg) from error
