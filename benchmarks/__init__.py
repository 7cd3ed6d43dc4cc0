"""Measurements beside their floors, in one run."""

import services.import_worker  # noqa: F401 - its number of polars threads, set before polars is imported
