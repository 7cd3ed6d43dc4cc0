"""The definitions of reported figures: views over facts in ``metric_definitions.sql``, which ``migrate`` applies."""

from pathlib import Path
from typing import Final

from shared.database.repeatable import RepeatableMigration

FACT_VIEWS: Final = RepeatableMigration.from_file("fact_views", Path(__file__).with_name("metric_definitions.sql"))
