"""Tables as lines of text, laid out for the width that there is: nothing is cut, whatever the width.

First everything on one line; then long cells are folded; then all cells at their words, with less air. Where that does
not do, a table of short cells is told in bands, each beginning with what names its rows, and of a table with long cells
these stand below their row. Commands are never folded, so that they can be copied; a list is a list at any width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from rehearse.report.view import Cell, Table

if TYPE_CHECKING:
    from rich.text import Text

SHORT = 20
"""Cells, and words of cells, that are no longer than this stay whole: dates, ids, most names."""
_FOLDED, _LINES = SHORT + 4, 2
_AIR, _LESS_AIR = 3, 2
_BREAKS = re.compile(r"(?<=[/.,;:=\-])|(?<=[^_]_)(?=[^_])")
"""Where a name may be folded: never within the `__c` of Salesforce."""
STYLES = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red", "faint": "dim"}


def build_lines(table: Table, width: int) -> list[Text]:
    """The head and rows of a table that has rows, in lines; only commands and words that nothing breaks are longer."""
    from rich.text import Text

    if len(table.columns) == 1:
        return list(_list(table, width))
    every = tuple(range(len(table.columns)))
    sizes = {index: _Size.of(table, index) for index in every}
    for air, least in ((_AIR, "natural"), (_AIR, "folded"), (_LESS_AIR, "words")):
        if _wide(every, [getattr(sizes[one], least) for one in every], air) <= width:
            return _draw(table, _Layout.of(table, every, sizes, (width, air, least)))
    if all(one.natural <= _FOLDED for one in sizes.values()) and (named := _named(table, sizes, width)):
        bands = list(_bands(every, named, sizes, width))
        drawn = [_draw(table, _Layout.of(table, band, sizes, (width, _LESS_AIR, "natural"))) for band in bands]
        return [line for number, band in enumerate(drawn) for line in ([Text(), *band] if number else band)]
    tight, loose = (_beside(every, sizes, width, least) for least in ("words", "folded"))
    if all(sizes[one].natural > 2 * _FOLDED for one in set(tight) - set(loose)):  # prose may go, a name stays beside
        return _draw(table, _Layout.of(table, loose, sizes, (width, _LESS_AIR, "folded")))
    return _draw(table, _Layout.of(table, tight, sizes, (width, _LESS_AIR, "words")))


@dataclass(frozen=True)
class _Size:
    """How wide a column is on one line; with long cells folded; and where every cell is folded at its words."""

    natural: int
    folded: int
    words: int

    @staticmethod
    def of(table: Table, index: int) -> _Size:
        texts = [table.columns[index], *(row[index].text.expandtabs(4) for row in table.rows)]
        natural = max(_long(line) for text in texts for line in text.split("\n"))
        if table.columns[index] == "id" or any(row[index].code for row in table.rows):
            return _Size(natural, natural, natural)
        words = max((min(_long(word), SHORT) for text in texts for word in text.split()), default=1)
        if natural > _FOLDED:
            return _Size(natural, _FOLDED, max(words, SHORT))
        spoken = {text for text in texts if " " in text}
        while words < natural and any(len(fold(text, words)) > _LINES for text in spoken):
            words += 1
        return _Size(natural, natural, words)


@dataclass(frozen=True)
class _Layout:
    """The columns that stand beside each other with their widths; the others stand below each row."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    below: tuple[int, ...]
    width: int
    air: int

    @staticmethod
    def of(table: Table, columns: tuple[int, ...], sizes: dict[int, _Size], how: tuple[int, int, str]) -> _Layout:
        width, air, least = how
        widths = [getattr(sizes[one], least) for one in columns]
        spare = width - _wide(columns, widths, air)
        wished = [sizes[one].natural - now for one, now in zip(columns, widths, strict=True)]
        for index in sorted(range(len(columns)), key=lambda one: wished[one]):  # short wishes first: most become whole
            open_ = sum(1 for one in wished if one > 0)
            given = min(wished[index], max(0, spare) // max(1, open_))
            widths[index] += given
            spare -= given
            wished[index] = 0
        in_bands = least == "natural"
        below = () if in_bands else tuple(one for one in range(len(table.columns)) if one not in columns)
        return _Layout(columns, tuple(min(one, width - 1) for one in widths), below, width, air)


def _wide(columns: Sequence[int], widths: Sequence[int], air: int) -> int:
    return 1 + sum(widths) + air * (len(columns) - 1)


def _named(table: Table, sizes: dict[int, _Size], width: int) -> tuple[int, ...]:
    """The first columns that tell every row from every other; none where they leave a column too little room."""
    for count in range(1, len(table.columns)):
        named = tuple(range(count))
        widest = max(sizes[one].natural for one in range(count, len(table.columns)))
        taken = _wide(named, [sizes[one].natural for one in named], _LESS_AIR)
        if taken > width // 2 or taken + _LESS_AIR + widest > width:
            return ()
        if len({tuple(row[one].text for one in named) for row in table.rows}) == len(table.rows):
            return named
    return ()


def _bands(
    columns: tuple[int, ...], named: tuple[int, ...], sizes: dict[int, _Size], width: int
) -> Iterator[tuple[int, ...]]:
    """The columns in as few bands as hold them, each with those that name its rows."""
    band = named
    for one in columns[len(named) :]:
        if band != named and _wide((*band, one), [sizes[each].natural for each in (*band, one)], _LESS_AIR) > width:
            yield band
            band = named
        band = (*band, one)
    yield band


def _beside(columns: tuple[int, ...], sizes: dict[int, _Size], width: int, least: str) -> tuple[int, ...]:
    """The columns that fit beside each other: the longest go first, of those as long the last, never the first."""
    kept = list(columns)
    while len(kept) > 1 and _wide(kept, [getattr(sizes[one], least) for one in kept], _LESS_AIR) > width:
        kept.remove(max(kept[1:], key=lambda one: (max(sizes[one].natural, _FOLDED), one)))
    return tuple(kept)


def _draw(table: Table, layout: _Layout) -> list[Text]:
    from rich.text import Text

    heads = [Cell(table.columns[one]) for one in layout.columns]
    lines = list(_row(heads, table, layout))
    lines.append(Text(" " + "─" * (_wide(layout.columns, layout.widths, layout.air) - 1)))
    for row in table.rows:
        lines += _row([row[one] for one in layout.columns], table, layout)
        for one in layout.below:
            lines += _below(table.columns[one], row[one], layout.width)
    return lines


def _row(cells: Sequence[Cell], table: Table, layout: _Layout) -> Iterator[Text]:
    from rich.text import Text

    folded = [fold(cell.text, width) for cell, width in zip(cells, layout.widths, strict=True)]
    for texts in zip_longest(*folded, fillvalue=""):
        line, to = Text(" "), 0
        for place, text in enumerate(texts):
            size = _long(text)
            right = layout.widths[place] - size if layout.columns[place] in table.right else 0
            line.append(" " * (to + right)).append(text, STYLES[cells[place].tone])
            to = layout.widths[place] - size - right + layout.air
        yield line


def _below(name: str, cell: Cell, width: int) -> Iterator[Text]:
    """A cell below its row, with the name of its column; what is empty is left out, and a command has its own line."""
    from rich.text import Text

    if cell.text in ("", "-"):
        return
    label = f"{name}: " if name else ""
    told = label + cell.text
    folded = [told] if cell.code else fold(told, max(8, width - 6))
    for number, text in enumerate(folded):
        head = label if number == 0 and text.startswith(label) else ""
        yield Text(" " * (4 if number == 0 else 6)).append(head).append(text[len(head) :], STYLES[cell.tone])


def _list(table: Table, width: int) -> Iterator[Text]:
    from rich.text import Text

    for (cell,) in table.rows:
        folded = [cell.text] if cell.code else fold(cell.text, max(8, width - 3))
        for number, text in enumerate(folded):
            yield Text(" - " if number == 0 else "   ").append(text, STYLES[cell.tone])


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most `width`, broken at spaces, else after what joins names, else anywhere."""
    lines: list[str] = []
    for given in text.expandtabs(4).split("\n"):
        if _long(given) <= width:
            lines.append(given)
            continue
        line = ""
        for word in given.split():
            if line and _long(line) + 1 + _long(word) <= width:
                line += f" {word}"
                continue
            if line:
                lines.append(line)
            *whole, line = _pieces(word, width)
            lines += whole
        lines.append(line)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces no longer than `width`."""
    if _long(word) <= width:
        return [word]
    pieces = [""]
    for part in _BREAKS.split(word):
        if _long(pieces[-1]) + _long(part) <= width:
            pieces[-1] += part
            continue
        pieces.append("")
        for letter in part:
            if pieces[-1] and _long(pieces[-1]) + _long(letter) > width:
                pieces.append("")
            pieces[-1] += letter
    return [one for one in pieces if one]


def _long(text: str) -> int:
    """How many columns of a terminal it fills."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
