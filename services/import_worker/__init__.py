"""The import worker: the second process of the lead context, which loads lead files."""

from shared.process import use_one_polars_thread

# Before polars is imported. The cores serve several files at once, not several threads of one file: passing a thousand
# rows between threads costs more than it gains.
use_one_polars_thread()
