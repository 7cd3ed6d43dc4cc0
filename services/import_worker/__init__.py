"""The import worker: the second process of the lead context, which loads lead files."""

import os

# polars reads it when it is first imported. The cores serve several files at once, not several threads of one file:
# passing a thousand rows between threads costs more than it gains.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
