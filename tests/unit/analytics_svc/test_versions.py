"""Definitions of figures cannot change unnoticed: the cache and the stored roll-ups depend on their versions."""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.analytics_svc.facts.metric_definitions import FACT_VIEWS
from services.analytics_svc.versions import FORMULAS_VERSION, ROLLUPS_VERSION
from shared.database.repeatable import RepeatableMigration

ROOT: Final = Path(__file__).parents[3]
ANALYTICS: Final = ROOT / "services" / "analytics_svc"
ROLLUP_MODULES: Final = [
    ANALYTICS / "facts" / "event_mapping.py",
    ANALYTICS / "rollups" / "rollup_tables.py",
    ANALYTICS / "rollups" / "measures.py",
    ANALYTICS / "rollups" / "maintenance_sql.py",
]
NO_FORMULAS: Final = {"cache.py", "openapi.py", "parameters.py", "dependencies.py", "errors.py", "service.py"}
FORMULA_MODULES: Final = [
    ROOT / "shared" / "report_formulas.py",
    ANALYTICS / "rollups" / "sum_sql.py",
    *(
        path
        for path in sorted((ANALYTICS / "reports").glob("*.py"))
        if path.name not in NO_FORMULAS and not path.name.endswith("endpoints.py")
    ),
]

# When a test below fails: increase the version if a figure can change by what you changed (see versions.py), and write
# the new digest here in either case.
ROLLUPS: Final = (1, "24b8183c7d92457c")
FORMULAS: Final = (1, "acbfdf644488c37e")


def code_of(module: Path) -> str:
    """Return the module without comments, docstrings and layout; the same under every Python."""
    text = module.read_text()
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return " ".join(" ".join(lines).split())


def digest_of(modules: Iterable[Path], *parts: str) -> str:
    return hashlib.sha256("\0".join([*parts, *map(code_of, modules)]).encode()).hexdigest()[:16]


def test_the_version_of_rollups_changes_with_what_is_summed() -> None:
    """Fails when what is stored or summed changes and no one decided whether stored sums are outdated."""
    statements = RepeatableMigration.from_file("facts", ANALYTICS / "facts" / "queries.sql").checksum
    assert (ROLLUPS_VERSION, digest_of(ROLLUP_MODULES, FACT_VIEWS.checksum, statements)) == ROLLUPS


def test_the_version_of_formulas_changes_with_the_formulas() -> None:
    """Fails when a formula changes and no one decided whether cached reports are outdated."""
    statements = RepeatableMigration.from_file("reports", ANALYTICS / "reports" / "queries.sql").checksum
    assert (FORMULAS_VERSION, digest_of(FORMULA_MODULES, statements)) == FORMULAS
