"""Use cases of the do-not-call list: numbers that a company must not call."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lead_svc.do_not_call import errors, repository
from services.lead_svc.do_not_call.repository import ListedNumber
from services.lead_svc.domain.phone import InvalidPhoneError, normalize
from services.lead_svc.leads import do_not_call_list
from services.lead_svc.leads.blacklist import Blacklisted, blacklist_numbers
from services.lead_svc.spreadsheets.row_errors import FileRejectedError
from shared.database.engine import Database
from shared.http.auth import Principal
from shared.http.pagination import Page
from shared.ids import CompanyId

IMPORTED_FROM_FILE: Final = "Imported from a file"
"""Reason of numbers that came in a file."""


async def list_numbers(
    connection: AsyncConnection, company_id: CompanyId, *, after: str | None, limit: int
) -> Page[ListedNumber]:
    """Return a page of a company's list, in the order of the numbers.

    Parameters
    ----------
    after
        The number with which the previous page ended; None for the first page.
    """
    numbers = await repository.list_numbers(connection, company_id, after=after, limit=limit + 1)
    return Page.of(numbers, limit, attrgetter("phone"))


async def add(
    connection: AsyncConnection, caller: Principal, company_id: CompanyId, phones: Sequence[str], reason: str | None
) -> Blacklisted:
    """Put numbers on a company's list, and blacklist every lead of the company that has one of them."""
    return await blacklist_numbers(connection, company_id, phones, reason=reason, added_by=caller.subject)


async def add_from_file(
    database: Database, caller: Principal, company_id: CompanyId, filename: str, content: bytes
) -> Blacklisted:
    """Put every number of a CSV or Excel file on a company's list, or none of them if the file has an error.

    Raises
    ------
    BadRequest
        If the file has an error; it names each.
    """
    try:
        phones = await asyncio.to_thread(_read_numbers, filename, content)
    except FileRejectedError as rejection:
        raise errors.file_rejected(rejection) from rejection
    # Only now: the transaction would stay open for as long as the file is read.
    async with database.transaction() as connection:
        return await add(connection, caller, company_id, phones, IMPORTED_FROM_FILE)


async def remove(connection: AsyncConnection, company_id: CompanyId, phone: str) -> None:
    """Take a number off a company's list. Leads that have it stay blacklisted until an administrator changes them.

    Parameters
    ----------
    phone
        In any form in which a lead's number may be written.

    Raises
    ------
    BadRequest
        If the text is not a phone number.
    NotFound
        If the number is not on the list.
    """
    try:
        # A '+' that a client did not encode arrives as a space.
        number = normalize(phone.strip()).e164
    except InvalidPhoneError as error:
        raise errors.invalid_phone(phone, str(error)) from error
    await do_not_call_list.lock_exclusive(connection, company_id)
    if not await do_not_call_list.remove(connection, company_id, number):
        raise errors.number_not_listed()


def _read_numbers(filename: str, content: bytes) -> list[str]:
    # The readers of files take much memory, and such a file is rare: lead-api does not load them before.
    from services.lead_svc.do_not_call.number_file import read_numbers

    return read_numbers(filename, content)
