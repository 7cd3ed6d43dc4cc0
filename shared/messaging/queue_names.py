"""The product's queues, as its services name them: a broker tells no client which queues it has."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Sequence
from typing import Final

from shared.messaging.topology import QueueSpec

SERVICES: Final = "services"
"""The package whose packages say in their module ``queues`` which queues they have."""


def queue_names() -> Sequence[str]:
    """Their names, in order. For tools alone: nothing that runs all day looks into the services from here."""
    names: set[str] = set()
    for service in pkgutil.iter_modules(importlib.import_module(SERVICES).__path__, f"{SERVICES}."):
        module = f"{service.name}.queues"
        if importlib.util.find_spec(module) is not None:
            names.update(
                spec.name for spec in vars(importlib.import_module(module)).values() if isinstance(spec, QueueSpec)
            )
    return sorted(names)
