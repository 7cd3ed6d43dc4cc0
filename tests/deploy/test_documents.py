"""The documents name files and tests that exist."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "*/README.md", "*/*/README.md") for path in ROOT.glob(pattern)
)
_LINK: Final = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)")
_TEST: Final = re.compile(r"`(test_[a-z0-9_]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    links = _LINK.findall(document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_test_that_a_document_names_exists() -> None:
    names = {name for document in DOCUMENTS for name in _TEST.findall(document.read_text())}
    modules = list((ROOT / "tests").rglob("test_*.py"))
    existing = {path.stem for path in modules}
    for module in modules:
        existing.update(re.findall(r"^(?:async )?def (test_\w+)", module.read_text(), re.MULTILINE))

    assert names - existing == set()


def test_the_picture_of_the_architecture_is_drawn_from_its_source() -> None:
    """Fails when a label of the source is not in the picture: `make diagram` draws it again."""
    pictures = ROOT / "docs" / "pictures"
    source = (pictures / "architecture.dot").read_text()
    drawn = (pictures / "architecture.svg").read_text().replace("&#45;", "-")
    lines = [line.strip() for label in re.findall(r'label="([^"]+)"', source) for line in label.split(r"\n")]

    assert len(lines) > 20
    assert [line for line in lines if line not in drawn] == []
