"""A member as a value between modules: a row of table ``members``."""

from dataclasses import dataclass
from datetime import datetime

from shared.ids import CompanyId, MemberId


@dataclass(frozen=True, slots=True)
class Member:
    """A stored member. The row of a deleted member stays, so that its versions go on."""

    company_id: CompanyId
    id: MemberId
    version: int
    name: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def is_deleted(self) -> bool:
        """Whether the directory does not contain the member."""
        return self.deleted_at is not None
