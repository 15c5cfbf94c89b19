"""What a secret can be mistaken for, and where it would be quoted: URLs of databases, references, hostile YAML."""

import os
from pathlib import Path

import pytest

from rehearse.errors import DocumentError, LoginError, StoreError
from rehearse.secret import Reference, is_open_to_all, resolve
from rehearse.state import open_database
from rehearse.workspace.read import load_workspace

SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@ss:hunter2@host/db",  # what stands after the colon would be a port
        "postgresql://u:pa@hunter2@127.0.0.1:1/db",  # and here a part of the host
        "postgresql://u:x@host:hunter2/db",
        "postgresql://u:hunter2@127.0.0.1:1/db?unknown=1",  # the client's own refusal, which has no code
        "postgresql://u:hunter2@127.0.0.1:1/db",
        "mysql://u:hunter2@host/db",
    ],
)
def test_a_url_of_a_database_is_never_quoted(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(url)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"


HEAD = "version: 1\ntimezone: UTC\n"


@pytest.mark.parametrize(
    "reference",
    ["{hunter2: 1}", "{hunter2}", '{env: "hunter2!x"}', "{env: [hunter2]}", "hunter2", "{env: A, hunter2: x}"],
)
def test_a_secret_in_place_of_its_reference_is_never_quoted(tmp_path: Path, reference: str) -> None:
    path = tmp_path / "rehearse.yaml"
    path.write_text(
        f"{HEAD}production: {{name: A, login: {{token: {{url: 'https://a.b', access_token: {reference}}}}}}}"
    )
    with pytest.raises(DocumentError) as caught:
        load_workspace(path)
    assert SECRET not in str(caught.value) and caught.value.problems[0].line == 3


def test_a_key_in_place_of_its_path_is_never_quoted() -> None:
    for pasted in (f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}", f"-----BEGIN {SECRET}", f"a\n{SECRET}", SECRET * 60):
        with pytest.raises(LoginError) as caught:
            resolve(Reference(file=pasted))
        assert SECRET not in caught.value.message and "cannot be read" in caught.value.message


def test_a_secret_that_every_user_of_the_machine_can_read_is_told(tmp_path: Path) -> None:
    assert is_open_to_all(Reference(file=os.devnull))
    (tmp_path / "key").write_text("x")
    reference = Reference(file="key", base=tmp_path)
    reachable = all(folder.stat().st_mode & 1 for folder in tmp_path.parents)
    for mode, own, told in ((0o644, 0o755, reachable), (0o644, 0o700, False), (0o640, 0o755, False)):
        tmp_path.chmod(own)
        (tmp_path / "key").chmod(mode)
        assert is_open_to_all(reference) is told
    assert not is_open_to_all(Reference(file="none", base=tmp_path)) and not is_open_to_all(Reference(env="HOME"))


def nested(core: str, times: int = 120) -> str:
    return "[" * times + core + "]" * times


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n".join(f"k{n}: &k{n} {nested(f'*k{n - 1}' if n else '1')}" for n in range(6)), "nested too deeply"),
        (
            "k0: &k0 [x]\n" + "\n".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 10)}]" for n in range(1, 9)),
            "holds more than 100000 values",
        ),
        ("a: &a [*a]", "endless"),
        ("\n".join(f"k{n}: 1" for n in range(300)), "and more"),
    ],
)
def test_hostile_yaml_ends_in_a_short_error(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rehearse.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=words) as caught:
        load_workspace(path)
    assert len(str(caught.value)) < 30_000
