"""The queue of the analytics service."""

from shared.messaging.topology import ExchangeName, QueueSpec

PROJECTIONS = QueueSpec(
    name="analytics.projections", exchange=ExchangeName.EVENTS, bindings=("campaign.*.v1", "lead.*.v1", "member.*.v1")
)
"""Everything that facts are made of. Facts bear any order, so this queue needs none."""
