"""Fixtures live in tests/fixtures, one module a subject; a module stands after those it imports."""

from hypothesis import settings

# A machine may be slow for a moment: the duration of an example is no property of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = [
    "tests.fixtures.workers",
    "tests.fixtures.logs",
    "tests.fixtures.servers",
    "tests.fixtures.gateway",
]
