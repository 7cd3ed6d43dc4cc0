"""Versions of what decides reported figures.

``tests/unit/analytics_svc/test_versions.py`` fails when the code behind a version changes and the version does not.
"""

from typing import Final

ROLLUPS_VERSION: Final = 1
"""Increase when a change of ``facts/metric_definitions.sql``, the event mapping or the measures changes the sums.

Roll-ups that were stored under another version are outdated until ``make rebuild``; analytics-events reports it in its
log and in the metric ``rollups_outdated``.
"""
FORMULAS_VERSION: Final = 1
"""Increase when a change of the reports or of ``shared/report_formulas.py`` changes a figure computed from roll-ups.

Cached responses of another version are not used.
"""
