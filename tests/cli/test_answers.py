"""How a command shows its answer: as wide as whoever reads it sees."""

import fcntl
import os
import struct
import sys
import termios
from pathlib import Path

import pytest

from rehearse.cli.answers import show
from rehearse.report.view import Page, Paragraph


def _shown(capsys: pytest.CaptureFixture[str]) -> int:
    show(Page("", (Paragraph("a " * 400),)))
    return max(len(line) for line in capsys.readouterr().out.splitlines())


def test_a_page_behind_a_pipe_is_as_wide_as_the_terminal_that_it_is_read_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
    with open(slave, "w") as terminal, (tmp_path / "pipe").open("w") as pipe:
        for name in ("__stdout__", "__stderr__", "__stdin__"):
            monkeypatch.setattr(sys, name, pipe)
        assert _shown(capsys) == 149  # nobody looks: a log
        monkeypatch.setattr(sys, "__stderr__", terminal)
        assert _shown(capsys) == 71
        monkeypatch.setenv("COLUMNS", "50")
        assert _shown(capsys) == 49
    os.close(master)
