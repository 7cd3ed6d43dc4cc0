"""The views over facts, which ``migrate`` applies: ``views.sql`` has the definitions of the reported figures."""

from pathlib import Path
from typing import Final

from shared.database.repeatable import RepeatableMigration

FACT_VIEWS: Final = RepeatableMigration.from_file("fact_views", Path(__file__).with_name("views.sql"))
