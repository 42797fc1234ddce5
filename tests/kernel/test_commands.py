"""The commands on live objects: what they say is what the kernel, and bpftool, says; what they do is done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from purebpf import loader
from purebpf.cli import COMMANDS, main
from purebpf.loader import netlink
from purebpf.loader.refusals import older_than
from purebpf.spec import MapSpec
from purebpf.uapi.enums import MapType
from tests.kernel import net
from tests.kernel.specs import obj
from tests.kernel.test_links import FRAME, counter, getpgid, grows

pytestmark = pytest.mark.kernel


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        self._capsys.readouterr()
        assert main(list(arguments)) == status
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return captured.err if status else captured.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def k() -> Iterator[loader.Object]:
    spec = counter("raw_tp/sys_enter")
    spec = spec._replace(maps={"m": MapSpec("m", MapType.HASH, 4, 8, 8)})
    with loader.load(spec, attach=True) as made:
        yield made


def bpftool(*arguments: str) -> Any:
    if shutil.which("bpftool") is None:
        pytest.skip("bpftool is not installed")
    got = subprocess.run(["bpftool", "-j", *arguments], capture_output=True, text=True, check=True).stdout
    return json.loads(got)


def test_listings_agree_with_bpftool(k: loader.Object, run: Run) -> None:
    ours = {row["id"]: row for row in run.json("prog", "list")}
    theirs = {row["id"]: row for row in bpftool("prog", "show")}
    number = k["prog"].info.id
    assert number in ours and {n: (r["type"], r["tag"]) for n, r in ours.items() if n in theirs} == {
        n: (r["type"], r["tag"]) for n, r in theirs.items() if n in ours}
    assert f"({os.getpid()})" in " ".join(ours[number]["held_by"])
    maps = {row["id"]: row for row in run.json("map", "list")}
    for row in bpftool("map", "show"):
        if row["id"] in maps:
            mine = maps[row["id"]]
            assert (mine["key"], mine["value"], mine["entries"]) == (row["bytes_key"], row["bytes_value"], row["max_entries"])
    links = {row["id"]: row["program"] for row in run.json("link", "list")}
    assert links[k.links[0].id] == number and {r["id"]: r["prog_id"] for r in bpftool("link", "show")} == links
    assert {row["id"] for row in run.json("btf", "list")} >= {1}


def test_tables_have_headers(k: loader.Object, run: Run) -> None:
    for noun, column in (("prog", "TAG"), ("map", "ENTRIES"), ("link", "TARGET"), ("btf", "KIND")):
        lines = run(noun, "list").splitlines()
        assert column in lines[0] and lines[0].split()[0] == "ID" and len(lines) > 1


def test_programs(k: loader.Object, run: Run, bpffs: str) -> None:
    number = str(k["prog"].info.id)
    shown = run.json("prog", "show", number)
    assert shown["type"] == "raw_tracepoint" and any(text.startswith(f"{k.links[0].id} raw_tracepoint") for text in shown["links"])
    assert "verified instructions" in run("prog", "show", number)
    run("prog", "pin", number, f"{bpffs}/p")
    assert run.json("prog", "show", f"{bpffs}/p")["id"] == int(number)
    run("prog", "attach", f"{bpffs}/p", "sys_exit", "--pin", f"{bpffs}/l")
    assert run.json("link", "show", f"{bpffs}/l")["target"] == "sys_exit"
    k.links[0].close()
    assert grows(k, getpgid)
    run("link", "detach", f"{bpffs}/l")
    assert not grows(k, getpgid) and not os.path.exists(f"{bpffs}/l")
    assert "raw tracepoint 'nothing'" in run("prog", "attach", f"{bpffs}/p", "nothing", status=1)
    assert "take no such option: mode" in run("prog", "attach", f"{bpffs}/p", "sys_exit,mode=3", status=1)
    os.unlink(f"{bpffs}/p")
    with loader.load(counter("xdp", 2)) as other:
        got = run.json("prog", "run", str(other["prog"].info.id), "--data", "00" * 64)
        assert got["retval"] == 2 and got["data"] == "00" * 64
        assert "no hexadecimal" in run("prog", "run", str(other["prog"].info.id), "--data", "x", status=1)


def test_maps(k: loader.Object, run: Run, bpffs: str) -> None:
    number = str(k["m"].info.id)
    run("map", "update", number, "7", "8")
    assert k["m"][7] == 8 and run.json("map", "lookup", number, "7") == {"value": 8}
    run("map", "update", number, "hex:07000000", "hex:0900000000000000", status=1)  # typed: numbers
    assert run.json("map", "dump", number) == [[7, 8]] and run.json("map", "show", number)["type"] == "hash"
    run("map", "pin", number, f"{bpffs}/m")
    run("map", "delete", f"{bpffs}/m", "7")
    assert len(k["m"]) == 0 and "no key 7" in run("map", "delete", number, "7", status=1)
    os.unlink(f"{bpffs}/m")
    run("map", "freeze", number)
    assert "frozen" in run("map", "update", number, "1", "1", status=1)


def test_links(run: Run, netns: None) -> None:
    with loader.load(counter("xdp", 2)) as one, loader.load(counter("xdp", 2)) as two:
        one["prog"].attach("lo", mode="generic")
        number = str(one.links[0].id)
        run("link", "update", number, str(two["prog"].info.id))
        assert grows(two, lambda: net.send_raw("lo", FRAME))
        assert [(r["interface"], r["kind"], r["program"], r["link"]) for r in run.json("net", "list")] == [
            ("lo", "xdp", two["prog"].info.id, int(number))]
        run("link", "detach", number)
        assert run.json("net", "list") == []
    with loader.load(counter("raw_tp/sys_enter"), attach=True) as k:
        assert "only with its last holder" in run("link", "detach", str(k.links[0].id), status=1)


def test_what_kill_left_behind_is_found_and_removed(run: Run, netns: None) -> None:
    child = os.fork()
    if not child:
        k = loader.load(counter("tc"))
        k["prog"].attach("lo", via="clsact")
        x = loader.load(counter("xdp", 2))
        x["prog"].attach("lo", mode="generic", via="netlink")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with loader.load(counter("tc")) as k:
        k["prog"].attach("lo", via="clsact", direction="egress")
        stale = run.json("net", "list", "--stale")
        assert sorted(row["kind"] for row in stale) == ["clsact", "xdp"] and len(run.json("net", "list")) == 3
        for row in stale:
            run("net", "detach", "lo", "--program", str(row["program"]))
        assert run.json("net", "list", "--stale") == [] and len(run.json("net", "list")) == 1
        assert "no program without a link of id 7" in run("net", "detach", "lo", "--program", "7", status=1)
    assert netlink.tc_filters(1, netlink.EGRESS) == []


def test_cgroups(run: Run) -> None:
    from tests.kernel.test_links import cgroup_root

    root = cgroup_root()
    if not root:
        pytest.skip("no cgroup2 is mounted")
    with loader.load(counter("cgroup_skb/egress", 1)) as k:
        k["prog"].attach(root)
        rows = run.json("cgroup", "list", root)
        assert [(r["cgroup"], r["hook"], r["name"]) for r in rows if r["program"] == k["prog"].info.id] == [
            (root, "cgroup_inet_egress", "prog")]


def test_top_counts_what_runs(k: loader.Object, run: Run) -> None:
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            getpgid()
            time.sleep(0.001)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        rows = run.json("top", "--count", "1", "--interval", "0.3")
    finally:
        stop.set()
        thread.join()
    mine = next(row for row in rows if row["id"] == k["prog"].info.id)
    assert mine["runs_per_second"] > 0 and mine["average_ns"] > 0


PRINT = """
    r1 = 0x216f6c6c6568 ll
    *(u64 *)(r10 - 8) = r1
    r1 = r10
    r1 += -8
    r2 = 8
    call trace_printk
    r0 = 0
    exit"""


def test_the_trace_pipe(run: Run) -> None:
    from purebpf.loader.tracepipe import parse, trace

    with loader.load(obj("tracepoint/syscalls/sys_enter_getpgid", PRINT), attach=True) as k:
        lines = k.trace(5)
        timer = threading.Timer(0.1, getpgid)
        timer.start()
        line = next(one for one in lines if one.text == "hello!")
        timer.join()
        assert line.pid > 0 and line.cpu >= 0 and line.time > 0
        lines.close()
        getpgid()
        got = [json.loads(text) for text in run("trace-pipe", "--seconds", "0.2", "--json").splitlines()]
        assert "hello!" in [one["text"] for one in got]
    assert "hello!" not in [one.text for one in trace(0)]
    assert parse("           <...>-42      [003] d..31  12.5: bpf_trace_printk: a-b [1]: c") == ("<...>", 42, 3, 12.5, "a-b [1]: c")
    assert parse("CPU:1 [LOST 5 EVENTS]").text == "CPU:1 [LOST 5 EVENTS]"


def test_where_tracing_is_switched_off_the_pipe_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import tracefs
    from purebpf.loader.tracepipe import Pipe

    real = tracefs._read
    monkeypatch.setattr(tracefs, "_read", lambda root, path: "0\n" if path == "tracing_on" else real(root, path))
    with pytest.warns(RuntimeWarning, match="write 1 to tracing_on"):
        Pipe().close()


def test_attaching_nothing_is_an_error(clang_object: Any, run: Run) -> None:
    assert "nothing was attached: run: say where" in run("load", clang_object("globals"), "--attach", status=1)


def test_options_of_attaching(clang_object: Any, run: Run, netns: None, bpffs: str) -> None:
    path = clang_object("globals")
    run("load", path, "--attach", "run=lo,mode=generic", "--pin", f"{bpffs}/x")
    assert [mode for mode, _ in netlink.xdp_of(1)] == ["generic"]
    for name in os.listdir(f"{bpffs}/x"):
        os.unlink(f"{bpffs}/x/{name}")
    os.rmdir(f"{bpffs}/x")
    assert "take no such option" in run("load", path, "--attach", "run=lo,colour=red", status=1)


@pytest.mark.skipif(older_than("5.15"), reason="tracepoint links: since 5.15")
def test_pinning_is_all_or_nothing(clang_object: Any, run: Run, bpffs: str, tmp_path: Any) -> None:
    os.mkdir(f"{bpffs}/t")
    with loader.load(counter("xdp")) as k:
        k["prog"].pin(f"{bpffs}/t/on_getpgid")
        assert "the path is taken" in run("load", clang_object("trace"), "--attach", "--pin", f"{bpffs}/t", status=1)
        assert os.listdir(f"{bpffs}/t") == ["on_getpgid"]
        k["prog"].unpin()
    os.rmdir(f"{bpffs}/t")
    assert "bpffs" in run("load", clang_object("trace"), "--pin", str(tmp_path / "new"), status=1)
    assert not os.path.exists(tmp_path / "new")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([command, "--help"], ["help", command]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert f"usage: purebpf {command}" in capsys.readouterr().out


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["help"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0 and "purebpf" in capsys.readouterr().out


PROGRAM = '''
import purebpf as bpf
from purebpf import RingBuf, u32

@bpf.struct
class Call:
    pid: u32

calls = RingBuf[Call](max_entries=4096)

@bpf.tracepoint("syscalls:sys_enter_getpgid")
def on_call(ctx):
    print("seen")
    with calls.reserve() as e:
        e.pid = bpf.current_pid()
'''


def test_a_python_file_is_attached_and_its_events_are_shown(tmp_path: Any) -> None:
    import signal
    import sys

    path = tmp_path / "watch.py"
    path.write_text(PROGRAM)
    with subprocess.Popen([sys.executable, "-m", "purebpf", "load", str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(3)]
        assert lines[0].startswith("on_call") and "attached tracepoint syscalls:sys_enter_getpgid" in lines[1] and "Ctrl-C" in lines[2]
        getpgid()
        shown: set[str] = set()  # what others print at the same time comes through the same pipe
        while not ("calls" in shown and any(text.endswith(f"-{os.getpid()}") for text in shown)):
            shown.add(child.stdout.readline().split(":")[0])
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def test_bare_code_is_not_loaded(tmp_path: Any, run: Run) -> None:
    path = tmp_path / "code.s"
    path.write_text("r0 = 0\nexit\n")
    assert "no hook to be loaded for" in run("load", str(path), status=1)


def test_attach_kinds_agree_with_attaching(run: Run, netns: None) -> None:
    """What is said to be attachable attaches, and what is not does not."""
    from purebpf.errors import PureBpfError
    from tests.kernel.test_links import cgroup_root

    ways: dict[str, tuple[str, Any, int]] = {
        "tracepoint": ("tracepoint/syscalls/sys_enter_getpgid", None, 0), "raw tracepoint": ("raw_tp/sys_enter", None, 0),
        "kprobe": ("kprobe/do_nanosleep", None, 0), "uprobe": ("uprobe/libc.so.6:getppid", None, 0),
        "kprobe.multi": ("kprobe.multi/do_nanosleep", None, 0), "uprobe.multi": ("uprobe.multi/libc.so.6:getppid", None, 0),
        "fentry": ("fentry/do_nanosleep", None, 0), "fexit": ("fexit/do_nanosleep", None, 0), "tp_btf": ("tp_btf/sched_switch", None, 0),
        "iterator": ("iter/task", None, 0), "xdp link": ("xdp", "lo", 2), "tcx link": ("tcx/ingress", "lo", 0),
        "netkit link": ("netkit/primary", "lo", 0), "cgroup link": ("cgroup_skb/egress", cgroup_root(), 1),
        "network namespace link": ("sk_lookup", "/proc/thread-self/ns/net", 1)}
    answers = run.json("features")["attach kinds"]
    assert set(ways) <= set(answers)
    for name, (section, target, result) in ways.items():
        if target == "":
            continue  # no cgroup2 here
        works = True
        try:
            with loader.load(counter(section, result)) as one:
                one["prog"].attach(target)
        except PureBpfError:
            works = False
        assert answers[name] == works, name
