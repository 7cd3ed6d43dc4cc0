"""The lead context's other process: loads lead files."""

import os

# Read by polars when it is first imported. The cores are for several files at once, not for several threads in one:
# handing a thousand rows from thread to thread costs more than it gains.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
