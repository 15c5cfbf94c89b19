"""Files that people write: YAML into a checked model, with every mistake at once and its file, line and column.

The text is composed into nodes (so each value knows where it stands), turned into plain data without guessing dates,
and then checked by a pydantic model. What a model cannot say (wall times, references between entries) is checked by
the caller, who reports through `Document.problem` at the same places.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rehearse.errors import MOST_SHOWN, DocumentError, NotFound, Problem, RehearseError, UsageError

Place = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value")

_LARGEST = 1_000_000
_MOST_VALUES = 100_000


class Entry(BaseModel):
    """Base of every part of a user's file: an unknown key is a mistake, and nothing is converted silently.

    `may_be_quoted`: a part that refers to a secret is not: what is written there by mistake may be the secret itself.
    """

    may_be_quoted: ClassVar[bool] = True
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


@dataclass
class Document(Generic[Model]):
    """A loaded file: its checked model, where each value stands, and the problems found so far."""

    file: str
    model: Model
    places: dict[Place, tuple[int, int]]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, message: str) -> None:
        """Note a mistake at a place of the file; `finish` raises them all."""
        self.problems.append(_problem_at(self.file, self.places, place, message))

    def read(self, place: Place, parse: Callable[[str], Value], text: str) -> Value | None:
        """Parse one text of the file; a UsageError becomes a problem at its place, and None comes back."""
        try:
            return parse(text)
        except UsageError as error:
            self.problem(place, f"{error.message} {error.hint or ''}".strip())
            return None

    def finish(self) -> None:
        """Raise DocumentError with every problem noted, in the order of the file."""
        if self.problems:
            raise DocumentError(sorted(self.problems, key=lambda one: (one.line, one.column)), _hint(self.file))


def load_document(path: Path, model: type[Model], shown_as: str | None = None) -> Document[Model]:
    """Read and check one file. Raises NotFound, or DocumentError with every mistake."""
    name = shown_as or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {name}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise DocumentError(
            [Problem(name, 0, 0, f"is not UTF-8 text (byte {error.start})")], "Save it as UTF-8."
        ) from error
    except IsADirectoryError as error:
        raise NotFound(f"{name} is a folder.", "Name the file itself.") from error
    except OSError as error:
        raise RehearseError(f"{name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if len(text) > _LARGEST:
        raise DocumentError([Problem(name, 0, 0, f"is larger than {_LARGEST} characters")], "Is it the right file?")
    data, places = _parse(text, name)
    try:
        return Document(name, model.model_validate(data), places)
    except ValidationError as error:
        # one more than is shown: looking for a key that is near takes its time
        problems = [_from_pydantic(name, model, places, one) for one in error.errors()[: MOST_SHOWN + 1]]
        raise DocumentError(_joined(sorted(problems, key=lambda one: (one.line, one.column))), _hint(name)) from None


def _joined(problems: Sequence[Problem]) -> list[Problem]:
    """What is wrong with one value by each of the forms that it might have had, as one mistake."""
    found: list[Problem] = []
    for one in problems:
        head, _, said = one.message.partition(": ")
        last = found[-1] if found else None
        if (
            last
            and said
            and (last.line, last.column) == (one.line, one.column)
            and last.message.startswith(f"{head}: ")
        ):
            found[-1] = replace(last, message=f"{last.message}; or it {said.removeprefix('input ')}")
        else:
            found.append(one)
    return found


def _hint(name: str) -> str:
    return f"Mend {name} and run again."


def _parse(text: str, name: str) -> tuple[Any, dict[Place, tuple[int, int]]]:
    try:
        return _plain(YAML(typ="safe", pure=True).compose(text), name)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = " ".join(str(error.problem or error.context or "is not YAML").split())
        raise DocumentError([Problem(name, line, column, f"is not valid YAML: {said}")], _hint(name)) from None
    except YAMLError as error:
        said = " ".join(str(error).split())[:200]
        raise DocumentError([Problem(name, 0, 0, f"is not valid YAML: {said}")], _hint(name)) from None
    except RecursionError:
        raise DocumentError([Problem(name, 0, 0, "is nested too deeply")], _hint(name)) from None


def _plain(root: Node | None, name: str) -> tuple[Any, dict[Place, tuple[int, int]]]:
    if root is None:
        raise DocumentError([Problem(name, 1, 1, "is empty")], _hint(name))
    reader = _Nodes(name)
    data = reader.plain(root, ())
    if reader.problems:
        raise DocumentError(reader.problems, _hint(name))
    return data, reader.places


class _Nodes:
    """Turns composed nodes into plain data and remembers where each value starts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[Place, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._open: list[Node] = []
        self._seen = 0

    def plain(self, node: Node, place: Place) -> Any:
        self.places[place] = self._mark(node)
        self._seen += 1
        if any(node is one for one in self._open):
            self._note(node, "an alias makes this file endless")
            return None
        if self._seen > _MOST_VALUES:  # aliases of aliases make a few lines endless
            line, column = self.places[place]
            more = f"holds more than {_MOST_VALUES} values, aliases counted"
            raise DocumentError([Problem(self.name, line, column, more)], _hint(self.name))
        self._open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, place)
            if isinstance(node, SequenceNode):
                return [self.plain(one, (*place, index)) for index, one in enumerate(node.value)]
            return _scalar(node) if isinstance(node, ScalarNode) else None
        except ValueError as error:
            self._note(node, str(error))
            return None
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if not isinstance(key_node, ScalarNode):
                self._note(key_node, "a key must be plain text")
            elif key in found:
                self._note(key_node, f"the key {key!r} stands here twice")
            else:
                found[key] = self.plain(value_node, (*place, key))
                if isinstance(value_node, ScalarNode) and value_node.start_mark.index == value_node.end_mark.index:
                    self.places[*place, key] = self._mark(key_node)  # nothing stands where YAML says: lines below
        return found

    def _mark(self, node: Node) -> tuple[int, int]:
        return node.start_mark.line + 1, node.start_mark.column + 1

    def _note(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.name, *self._mark(node), message))


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    kind = str(node.tag).rpartition(":")[2]
    text: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text.replace("_", ""), 0) if not text.lstrip("+-").isdigit() else int(text)
    if kind == "float":
        return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    return text  # a timestamp stays text: the caller knows the time zone, YAML does not


def _problem_at(name: str, places: dict[Place, tuple[int, int]], place: Place, message: str) -> Problem:
    known = place
    while known and known not in places:
        known = known[:-1]
    line, column = places.get(known, (0, 0))
    return Problem(name, line, column, message)


def _from_pydantic(name: str, model: type[BaseModel], places: dict[Place, tuple[int, int]], error: Any) -> Problem:
    place = tuple(one for one in error["loc"] if not (isinstance(one, str) and one.startswith("function-")))
    named = len(place) - 1 if error["type"] in ("missing", "extra_forbidden") else -1  # else a form that it might have
    place = tuple(one for index, one in enumerate(place) if place[: index + 1] in places or index == named)
    here = ".".join(str(one) for one in place)
    if error["type"] == "extra_forbidden":
        known = _known_keys(model, place[:-1])
        if not all(one.may_be_quoted for one in _models_at(model, place[:-1])):
            return _problem_at(name, places, place, f"a key that is not known here: {', '.join(sorted(known))}")
        near = difflib.get_close_matches(str(place[-1]), known, n=1, cutoff=0.4)
        advice = f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"
        return _problem_at(name, places, place, f"unknown key {here!r}{advice}")
    if error["type"] == "missing":
        return _problem_at(name, places, place, f"{here!r} is missing")
    said = _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return _problem_at(name, places, place, f"{f'{here!r}: ' if here else ''}{said[:1].lower()}{said[1:]}")


_WORDS = {
    "model_type": "must hold keys and values (KEY: VALUE)",
    "dict_type": "must hold keys and values (KEY: VALUE)",
    "list_type": "must be a list",
    "string_type": "must be text; put it in quotes",
    "string_pattern_mismatch": "may hold letters, digits, dots, hyphens and underscores, and begins with no sign",
}
"""What a pydantic error says in the words of a file."""


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    models = _models_at(model, place)
    return sorted({info.alias or key for one in models for key, info in one.model_fields.items()})


def _models_at(model: type[BaseModel], place: Place) -> list[type[Entry]]:
    current: list[Any] = [model]
    for step in place:
        current = [deeper for one in current for deeper in _step(one, step)]
    return [one for part in current for one in _models(part)]


def _step(part: Any, step: str | int) -> Iterable[Any]:
    for one in _models(part):
        for key, info in one.model_fields.items():
            if step in (key, info.alias):
                yield info.annotation
    for one in _flatten(part):
        if get_origin(one) in (list, tuple, dict):
            yield from get_args(one)


def _models(part: Any) -> list[type[Entry]]:
    return [one for one in _flatten(part) if isinstance(one, type) and issubclass(one, Entry)]


def _flatten(part: Any) -> list[Any]:
    if get_origin(part) in (Union, types.UnionType, Annotated):
        return [deeper for one in get_args(part) for deeper in _flatten(one)]
    return [part]
