"""A map as a directory: every key has a name of its own that leads back to it; and a real mount, through FUSE."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebpf.errors import FormatError, KeyMissing
from purebpf.readings.files import MapFiles, key_of, name_of

ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: not text[:1].isdigit())


@given(st.one_of(st.integers(), st.lists(st.integers(), max_size=4)))
def test_names_lead_back_to_keys(key: Any) -> None:
    assert key_of(name_of(key)) == key and "/" not in name_of(key) and name_of(key) not in (".", "..", "")


@given(TEXT)
def test_any_text_is_the_name_of_one_file(text: str) -> None:
    name = name_of(text)
    assert "/" not in name and "\0" not in name and name not in (".", "..", "")
    assert str(key_of(name)) == text or not isinstance(key_of(name), str)  # text that reads as a number or as JSON


class Table(dict[Any, Any]):
    """A dict that answers as a map does."""

    def __missing__(self, key: Any) -> Any:
        raise KeyMissing(2, f"no key {key!r}")

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, int):
            raise FormatError(f"{value!r} is no number")
        super().__setitem__(key, value)


def test_entries_are_read_written_and_removed() -> None:
    files = MapFiles(Table({1: 5, 22: 7}))
    assert list(files.names()) == ["1", "22"] and files.read("22") == b"7\n"
    files.write("80", b"9\n")
    assert files.read("80") == b"9\n" and sorted(files.names()) == ["1", "22", "80"]
    files.remove("1")
    with pytest.raises(FileNotFoundError):
        files.read("1")
    with pytest.raises(OSError, match="'text' is no number") as refused:
        files.write("2", b"text\n")
    assert refused.value.errno == 22


@pytest.mark.kernel
def test_a_mounted_map(tmp_path: Path) -> None:
    pytest.importorskip("mfusepy", exc_type=OSError)
    if not os.path.exists("/dev/fuse") or shutil.which("umount") is None:
        pytest.skip("there is no FUSE here")
    from purebpf import loader
    from purebpf.spec import MapSpec
    from tests.kernel.specs import obj

    maps = (MapSpec("mounted", 1, 4, 8, 8),)
    with loader.load(obj("xdp", "r1 = map:mounted\nr0 = 2\nexit", maps=maps)) as k:
        k["mounted"].update({1: 5, 300: 7})
        command = [sys.executable, "-m", "purebpf", "mount", str(k["mounted"].info.id), str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            try:
                for _ in range(200):
                    if os.path.ismount(tmp_path) or child.poll() is not None:
                        break
                    time.sleep(0.05)
                if not os.path.ismount(tmp_path):
                    pytest.skip(f"FUSE does not mount here: {child.communicate()[1][-300:]}")
                assert sorted(os.listdir(tmp_path)) == ["1", "300"] and (tmp_path / "300").read_text() == "7\n"
                (tmp_path / "80").write_text("9\n")
                (tmp_path / "1").write_text("6\n")
                assert dict(k["mounted"]) == {1: 6, 300: 7, 80: 9}
                os.unlink(tmp_path / "300")
                assert 300 not in k["mounted"]
                with pytest.raises(OSError), open(tmp_path / "2", "w") as file:  # noqa: PT012 - told when it is closed
                    file.write("no number")
                assert 2 not in k["mounted"] and not os.path.exists(tmp_path / "7777")
            finally:
                subprocess.run(["umount", str(tmp_path)], check=False, capture_output=True)
                child.wait(10)
