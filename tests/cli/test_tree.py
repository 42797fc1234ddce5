"""The manual and the completion files: written from the parsers, accepted by those who read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from purebpf.cli import COMMANDS
from purebpf.cli.completion import SHELLS
from purebpf.cli.manual import pages
from purebpf.cli.tree import nodes, whole

NODES = list(nodes(whole()))


def needs(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed")
    return path


def test_every_command_and_verb_says_what_it_is() -> None:
    assert {node.path.split()[0] for node in NODES if node.path} == set(COMMANDS)
    for node in NODES:
        assert node.summary and node.summary[-1] != ".", node.path
        for action in [*node.options, *node.positionals]:
            assert action.help or action.choices or isinstance(action.metavar, str), (node.path, action.dest)


def test_whatever_can_be_run_has_an_example() -> None:
    for node in NODES:
        if not node.subcommands:
            assert (node.parser.epilog or "").startswith("example"), node.path


def test_pages_are_accepted_by_groff() -> None:
    groff = needs("groff")
    for name, text in pages().items():
        got = subprocess.run([groff, "-man", "-ww", "-z"], input=text, capture_output=True, text=True, check=True)
        assert not got.stderr, (name, got.stderr)
    assert set(pages()) == {"purebpf.1", *(f"purebpf-{name}.1" for name in COMMANDS)}
    shown = subprocess.run([groff, "-man", "-Tascii"], input=pages()["purebpf-map.1"], capture_output=True, text=True, check=True).stdout
    assert "histogram" in shown and "purebpf map top" in shown


def complete(words: list[str]) -> set[str]:
    """What bash offers for the last of the words."""
    script = f"{SHELLS['bash']()}\nCOMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}\n_purebpf\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    got = subprocess.run([needs("bash"), "-c", script], capture_output=True, text=True, check=True)
    assert not got.stderr
    return set(got.stdout.split())


def test_bash_offers_commands_verbs_options_and_their_values() -> None:
    assert complete(["purebpf", ""]) >= set(COMMANDS)
    assert complete(["purebpf", "tr"]) == {"trace-pipe"}
    assert {"dump", "watch", "create"} <= complete(["purebpf", "map", ""])
    assert "--interval" in complete(["purebpf", "map", "watch", "counts", "--i"])
    assert complete(["purebpf", "net", "attach", "xdp", "p", "lo", "--mode", "n"]) == {"native"}
    assert {"xdp", "ingress", "egress"} <= complete(["purebpf", "net", "attach", ""])
    assert complete(["purebpf", "map", "dump", "list", ""]) == complete(["purebpf", "map", "dump", ""])


def test_zsh_reads_its_file(tmp_path: Path) -> None:
    script = f"""
        compadd() {{ shift; print -l -- "$@" }}; _files() {{ }}; compdef() {{ }}
        {SHELLS['zsh']()}
        words=(purebpf map ''); CURRENT=3; _purebpf
        words=(purebpf net attach xdp p lo --mode ''); CURRENT=8; _purebpf"""
    got = subprocess.run([needs("zsh"), "-fc", script], capture_output=True, text=True, check=True)
    assert not got.stderr and {"dump", "create", "native", "generic"} <= set(got.stdout.split())


def test_fish_reads_its_file(tmp_path: Path) -> None:
    (tmp_path / "purebpf.fish").write_text(SHELLS["fish"]())
    for line, offered in (("purebpf map ", {"dump", "watch"}), ("purebpf ", {"map", "stat"}), ("purebpf net attach xdp p lo --mode ", {"native"})):
        got = subprocess.run([needs("fish"), "--no-config", "-c", f"source {tmp_path}/purebpf.fish; complete -C '{line}'"],
                             capture_output=True, text=True, check=True)
        assert not got.stderr and offered <= {row.split("\t")[0] for row in got.stdout.splitlines()}, (line, got.stdout, got.stderr)


def test_they_are_written_when_the_package_is_built(tmp_path: Path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("build_files", Path(__file__).parents[2] / "setup.py")
    assert spec is not None
    text = Path(str(spec.origin)).read_text().replace("setup(cmdclass", "made = dict(cmdclass")
    names: dict[str, object] = {"__file__": spec.origin, "__name__": "built"}
    exec(compile(text, "setup.py", "exec"), names)
    files = names["write_files"](str(tmp_path))  # type: ignore[operator]
    assert {place for place, _ in files} == {"share/man/man1", "share/bash-completion/completions", "share/zsh/site-functions",
                                             "share/fish/vendor_completions.d"}
    assert (tmp_path / "share/man/man1/purebpf-map.1").exists()
