"""Files that people write: each mistake at its line and column, in words that say what to do."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from rehearse.documents import Entry, load_document
from rehearse.errors import DocumentError, NotFound, UsageError


class _Hidden(Entry):
    may_be_quoted: ClassVar[bool] = False
    env: str = ""


class _Window(Entry):
    start: str = Field(default="", alias="from")


class _File(Entry):
    name: str = ""
    count: int | None = None
    share: float = 0.0
    on: bool = False
    window: _Window = Field(default_factory=_Window)
    secret: _Hidden = Field(default_factory=_Hidden)
    things: list[str] = Field(default_factory=list)
    more: dict[str, str] = Field(default_factory=dict)


def _load(folder: Path, text: str) -> _File:
    (folder / "file.yaml").write_text(text, encoding="utf-8")
    return load_document(folder / "file.yaml", _File, "file.yaml").model


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("name: a\ncount: [\n", 3, 1, "is not valid YAML"),
        ("name: a\n  b: 1\n", 2, 4, "is not valid YAML"),
        ("name: 1\n", 1, 7, "must be text; put it in quotes"),
        ("count:\nname:\n\n", 2, 1, "must be text"),  # YAML says that this nothing is two lines below
        ("things: a\n", 1, 9, "must be a list"),
        ("window: a\n", 1, 9, "must hold keys and values"),
        ("more: [a]\n", 1, 7, "must hold keys and values"),
        ("name: a\n? [x, y]\n: 1\n", 2, 3, "a key must be plain text"),
        ("name: a\nname: b\n", 2, 1, "the key 'name' stands here twice"),
        ("more: &x\n  a: *x\n", 1, 7, "an alias makes this file endless"),
        ("nmae: a\n", 1, 7, "unknown key 'nmae'; did you mean 'name'?"),
        ("window:\n  form: x\n", 2, 9, "unknown key 'window.form'; did you mean 'from'?"),
        ("window:\n  start: x\n", 2, 10, "unknown key 'window.start'; known here: from"),
        ("secret:\n  hunter2: x\n", 2, 12, "a key that is not known here: env"),
        ("", 1, 1, "is empty"),
    ],
)
def test_a_mistake_has_its_line_its_column_and_its_words(
    tmp_path: Path, text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        _load(tmp_path, text)
    (found, *_) = caught.value.problems
    assert words in found.message and (found.file, found.line, found.column) == ("file.yaml", line, column), found
    assert caught.value.hint == "Mend file.yaml and run again." and "hunter2" not in str(caught.value)


def test_values_are_what_yaml_says_and_dates_stay_text(tmp_path: Path) -> None:
    found = _load(tmp_path, "name: 2026-12-18 18:00\ncount: 1_000\nshare: 0.5\non: true\nwindow: {from: '09:00'}\n")
    assert (found.name, found.count, found.share, found.on) == ("2026-12-18 18:00", 1000, 0.5, True)
    assert found.window.start == "09:00" and found.secret.env == ""
    assert [_load(tmp_path, f"count: {text}\n").count for text in ("0x1F", "-7", "+8", "~")] == [31, -7, 8, None]
    assert _load(tmp_path, "on: false\n").on is False and _load(tmp_path, "share: .inf\n").share == float("inf")


def test_a_few_lines_that_stand_for_endless_ones_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{one}: &a{one} [{', '.join([f'*a{one - 1}'] * 10)}]" for one in range(1, 8)]
    with pytest.raises(DocumentError, match="holds more than 100000 values"):
        _load(tmp_path, "\n".join(lines))
    with pytest.raises(DocumentError, match="larger than 1000000 characters"):
        _load(tmp_path, "name: " + "x" * 1_000_000)


def test_what_is_no_file_is_said_by_the_name_that_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file plan\.yaml"):
        load_document(tmp_path / "none", _File, "plan.yaml")
    with pytest.raises(NotFound, match="is a folder"):
        load_document(tmp_path, _File)
    (tmp_path / "file.yaml").write_bytes(b"name: \xff")
    with pytest.raises(DocumentError, match=r"file\.yaml: is not UTF-8 text \(byte 6\)"):
        load_document(tmp_path / "file.yaml", _File, "file.yaml")


def test_what_a_reader_finds_stands_at_the_nearest_place_that_there_is(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("name: a\nwindow:\n  from: b\n", encoding="utf-8")
    document = load_document(tmp_path / "f.yaml", _File, "f.yaml")

    def refuse(text: str) -> str:
        raise UsageError(f"{text} is wrong.", "Write c.")

    assert document.read(("window", "from"), refuse, "b") is None
    document.problem(("window", "to"), "lacks an end")
    document.problem(("name",), "is short")
    assert document.read(("name",), str.upper, "a") == "A"
    with pytest.raises(DocumentError) as caught:
        document.finish()
    told = [(one.line, one.column, one.message) for one in caught.value.problems]
    assert told == [(1, 7, "is short"), (3, 3, "lacks an end"), (3, 9, "b is wrong. Write c.")]
