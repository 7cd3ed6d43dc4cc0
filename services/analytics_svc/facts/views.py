"""The views over facts, applied by ``migrate``: ``views.sql`` holds the definitions of reported figures."""

from pathlib import Path
from typing import Final

from shared.database.repeatable import RepeatableMigration

FACT_VIEWS: Final = RepeatableMigration.from_file("fact_views", Path(__file__).with_name("views.sql"))
