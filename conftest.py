"""Fixtures live in tests/fixtures, one module a subject; a module stands after those it imports."""

pytest_plugins = [
    "tests.fixtures.logs",
    "tests.fixtures.servers",
    "tests.fixtures.gateway",
]
