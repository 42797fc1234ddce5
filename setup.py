"""What pyproject.toml cannot say: when the package is built, its manual and completion files are written."""

import os
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))
PLACES = {"bash": "share/bash-completion/completions/purebpf", "zsh": "share/zsh/site-functions/_purebpf",
          "fish": "share/fish/vendor_completions.d/purebpf.fish"}


def write_files(base: str) -> list[tuple[str, list[str]]]:
    """Write them below `base`; what `data_files` takes."""
    sys.path.insert(0, HERE)
    from purebpf.cli.completion import SHELLS
    from purebpf.cli.manual import pages

    files = {f"share/man/man1/{name}": text for name, text in pages().items()}
    files.update({PLACES[shell]: script() for shell, script in SHELLS.items()})
    made: dict[str, list[str]] = {}
    for place, text in files.items():
        path = os.path.join(base, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        made.setdefault(os.path.dirname(place), []).append(os.path.relpath(path, HERE))
    return sorted(made.items())


class Build(build_py):
    """Building writes the files before they are collected."""

    def run(self) -> None:
        if not self.editable_mode:
            self.distribution.data_files = write_files(os.path.join(HERE, "build", "share-files"))
        super().run()


setup(cmdclass={"build_py": Build})
