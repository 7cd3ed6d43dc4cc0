"""What a process of the product does to its interpreter: everything that is not plain application code, in one place.

===================  ===============================================================================================
what                 why
===================  ===============================================================================================
``load_lazily``      A process that sends no HTTP requests does not load httpx. Loading it takes longer than other
                     requests should wait, so it happens in a thread.
``freeze_imports``   What the imports created lives as long as the process: the garbage collector would look through it
                     again and again, and delay requests.
``limit_shutdown``   Python waits for its threads, and a thread that reads a large file reacts to no signal: SIGALRM
                     ends the process when stopping takes too long.
``POLARS_THREADS``   polars reads its number of threads once, when it is imported; see services/import_worker.
===================  ===============================================================================================
"""

import asyncio
import gc
import os
import signal
from importlib import import_module
from typing import Final

POLARS_THREADS: Final = "POLARS_MAX_THREADS"


async def load_lazily(module: str) -> None:
    """Import a module in a thread; the statement ``import`` that follows finds it loaded."""
    await asyncio.to_thread(import_module, module)


def freeze_imports() -> None:
    """Exempt every object that there is from garbage collection; called once, after the app was made."""
    gc.collect()
    gc.freeze()


def limit_shutdown(seconds: float) -> None:
    """End the process by SIGALRM in so many seconds, unless it has ended by then.

    Nothing is lost: a transaction that was not committed is rolled back, and a message that was not acknowledged is
    delivered again.
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)


def use_one_polars_thread() -> None:
    """Have polars use one thread a file; must be called before polars is imported."""
    os.environ.setdefault(POLARS_THREADS, "1")
