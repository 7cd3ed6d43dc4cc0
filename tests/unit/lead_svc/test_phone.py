import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lead_svc.domain.phone import InvalidPhoneError, Phone, normalize
from services.lead_svc.values.from_columns import convert_columns

US = "+14155552671"
UK = "+442079460958"

ACCEPTED = {
    # Unchanged, in service or not.
    "+1234567890": "+1234567890",
    "+14155552671": US,
    "+1234567": "+1234567",
    "+123456789012345": "+123456789012345",
    # Ten digits are American, eleven to fifteen lack their '+', 00 is a '+'.
    "1234567890": "+11234567890",
    "0123456789": "+10123456789",
    "14155552671": US,
    "442079460958": UK,
    "442079460000": "+442079460000",
    "123456789012345": "+123456789012345",
    "00442079460958": UK,
    "0012345678": "+12345678",
    "00 44 20 7946 0958": UK,
    "(00)44-20-7946-0958": UK,
    # As people write them.
    "(415) 555-2671": US,
    "415.555.2671": US,
    "415 555 2671": US,
    "1 (415) 555-2671": US,
    "+1 (415) 555-2671": US,
    "415\n555-2671": US,
    "tel:+1-415-555-2671": US,
    "+44 (0)20 7946 0958": UK,
    "44 (0)20 7946 0958": UK,
    "(+44) 20 7946 0958": UK,
    "+49 30/123456": "+4930123456",
    "+39 06 698 12345": "+390669812345",
    "1-800-FLOWERS": "+18003569377",
    "1 800 flowers": "+18003569377",
    "+1-800-GOT-JUNK": "+18004685865",
    "800-FLOWERS": "+18003569377",
    # As spreadsheets damage them.
    "14155552671.0": US,
    "4155552671.00": US,
    "1.4155552671E10": US,
    "1.4155552671E+10": US,
    "1.41555526710E10": US,
    "1,4155552671E+10": US,
    "4.155552671E9": US,
    "4.42079460958E11": UK,
    "'+14155552671": US,
    '="4155552671"': US,
    # As the web hides things in them.
    "\u202a+1 415\u2011555\u20112671\u202c": US,
    "+1\u00a0415\u00a0555\u00a02671": US,
    "\u200b4155552671\ufeff": US,
    "415\u2013555\u20132671": US,
    "+1 415\u2212555\u22122671": US,
    "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff12\uff16\uff17\uff11": US,
    "\u0664\u0661\u0665\u0665\u0665\u0665\u0662\u0666\u0667\u0661": US,
}

REFUSED = [
    "",
    "n/a",
    "call me",
    "123",
    "555-2671",
    "123456789",
    "+123456",
    "+0123456789",
    "+1234567890123456",
    "1234567890123456",
    "02079460958",
    "(020) 7946 0958",
    "0044",
    "++14155552671",
    "+1+4155552671",
    "+999 123 4567",
    "+1 (415) 555",
    "+1 415 555 267",
    "*67 4155552671",
    "call 4155552671",
    "4155552671 (mobile)",
    "4155552671, 4155552672",
    "4155552671/4155552672",
    "415-555-2671/2672",
    "+1 415-555-2671/2672",
    "+1 415 555 2671 415 555 2672",
    "800-CONTACTS",
    "1-800-CONTACTS",
    "abcdefghij",
    # Digits are lost, and what is left would be another number.
    "1.41556E+10",
    "1.41556E10",
    "1.4155552671E+09",
    "1E10",
    "14155552671.5",
    "1.4155552671E11",
    "-4155552671",
    "\U0001f4de 4155552671",
    "4155552671\x00",
    "4" * 5_000_000,
    "4" + " " * 100_000 + "!",
]


@pytest.mark.parametrize(("written", "e164"), ACCEPTED.items())
def test_a_number_becomes_e164(written: str, e164: str) -> None:
    assert normalize(written) == Phone(e164)


@pytest.mark.parametrize("written", REFUSED, ids=lambda written: written[:40])
def test_an_invalid_number_is_an_error_with_the_original_text(written: str) -> None:
    with pytest.raises(InvalidPhoneError) as refusal:
        normalize(written)

    assert str(refusal.value) == f"Invalid phone number format: {written}"


@pytest.mark.parametrize(
    "behind",
    [
        " x123",
        "x123",
        " ext 123",
        " ext. 123",
        " Ext.: 123",
        " extension 123",
        " extn 123",
        "#123",
        ";ext=123",
        ",,123",
    ],
)
@pytest.mark.parametrize("number", ["4155552671", "(415) 555-2671", "+1 415 555 2671", "tel:+1-415-555-2671"])
def test_an_extension_is_split_off(number: str, behind: str) -> None:
    assert normalize(number + behind) == Phone(US, "123")


def test_an_extension_stays_as_it_was_written() -> None:
    assert normalize("+44 (0)20 7946 0958 x007") == Phone(UK, "007")


def test_what_is_too_long_for_an_extension_is_none() -> None:
    with pytest.raises(InvalidPhoneError):
        normalize("415-555-2671 x 4155552672")


NATIONAL_ONLY = {("CA", phonenumbers.PhoneNumberType.UAN), ("IR", phonenumbers.PhoneNumberType.UAN)}
"""Short numbers without an area code: +1 310-1234, +98 9601."""
EXAMPLES = 1_372
"""Regions and kinds of numbers for which the library has an example that can be called from abroad."""


def test_every_countrys_numbers_are_normalized_from_international_form() -> None:
    """Fails when a form of a number that a region uses is rejected, or becomes another number."""
    examples = {
        (region, kind): number
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in phonenumbers.PhoneNumberType.values()
        if (number := phonenumbers.example_number_for_type(region, kind)) and (region, kind) not in NATIONAL_ONLY
    }
    failures = {key: wrong for key, number in examples.items() if (wrong := _wrong_forms(number))}
    assert failures == {}
    assert len(examples) == EXAMPLES


@pytest.mark.parametrize("country_code", sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS))
def test_numbers_of_no_country_are_normalized_from_international_form(country_code: int) -> None:
    number = phonenumbers.example_number_for_non_geo_entity(country_code)
    assert number is not None
    assert _wrong_forms(number) == {}


def _wrong_forms(number: phonenumbers.PhoneNumber) -> dict[str, str | None]:
    """The forms of a number that do not become its E.164, with their result."""
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    formats = (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.RFC3966)
    forms = [e164, *(phonenumbers.format_number(number, form) for form in formats)]
    results = {form: phone.e164 if (phone := normalized(form)) else None for form in forms}
    return {form: result for form, result in results.items() if result != e164}


texts = st.one_of(
    st.sampled_from([*ACCEPTED, *REFUSED]),
    st.text(alphabet="+0123456789 ()-./xE#e,\u00a0\u2013a", max_size=22),
    st.from_regex(r"\A(\+|00)?[0-9]{6,16}\Z"),
    st.text(max_size=20),
)


@given(texts)
def test_a_normalized_number_stays_as_it_is(text: str) -> None:
    phone = normalized(text)

    assert phone is None or normalize(phone.e164) == Phone(phone.e164)


@given(st.lists(texts, min_size=1, max_size=30))
def test_a_column_is_normalized_like_its_single_numbers(written: list[str]) -> None:
    cells = pl.DataFrame({"0": [text.strip() or None for text in written]}, schema={"0": pl.String})

    column = convert_columns(cells, {"phone": 0})["phone"]

    phones = [normalized(text) if text is not None else None for text in cells["0"]]
    assert column.values.to_list() == [phone and phone.e164 for phone in phones]
    extensions = [None] * len(phones) if column.extensions is None else column.extensions.to_list()
    assert extensions == [phone and phone.extension for phone in phones]
    wrong = [False] * len(phones) if column.invalid is None else column.invalid.to_list()
    assert wrong == [text is not None and phone is None for text, phone in zip(cells["0"], phones, strict=True)]


def normalized(text: str) -> Phone | None:
    try:
        return normalize(text)
    except InvalidPhoneError:
        return None
