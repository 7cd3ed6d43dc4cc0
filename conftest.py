"""Fixtures live in tests/fixtures, one module a subject."""

pytest_plugins = ["tests.fixtures.servers"]
