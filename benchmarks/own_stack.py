"""A stack that is brought up for a benchmark, and of which nothing is left afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local.binaries import find_or_install
from deploy.local.processes import PRODUCT, Product
from deploy.local.servers import Servers
from deploy.local.stack import Stack


@contextmanager
def own_stack(product: Product = PRODUCT) -> Iterator[Stack]:
    """A stack of its own, that runs ``product``."""
    with tempfile.TemporaryDirectory(prefix="voice-bench-") as directory, ExitStack() as exits:
        servers = Servers(Path(directory) / "state", programs=find_or_install(print))
        servers.start()
        # Not merely stopped: its data may lie outside the directory, where PostgreSQL's account cannot get there.
        exits.callback(servers.destroy)
        # A process that does not run has an address all the same: others have it in their settings.
        servers.state.claim_ports(spec.name for spec in PRODUCT.processes)
        stack = Stack(servers.state.path, servers=servers, product=product)
        stack.start()
        exits.callback(stack.stop)
        yield stack
