"""The import worker: the second process of the lead context, which loads lead files."""

from shared.process import use_one_polars_thread

# Several files are loaded at once, so the cores are for them: handing the thousand rows of one file from thread to
# thread costs more than it gains.
use_one_polars_thread()
