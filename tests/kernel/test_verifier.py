"""What the verifier refuses, and how it is told: a program per common complaint."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.errors import VerifierError
from purebpf.loader.logs import explain, read
from purebpf.loader.refusals import older_than
from purebpf.spec import MapSpec
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel

COUNTS = MapSpec("counts", 1, 4, 8, 16)
TABLE = MapSpec("table", 2, 4, 8, 4)
RING = MapSpec("ring", 27, 0, 0, 4096)
LOOKUP = """
    *(u32 *)(r10 - 4) = 1
    r1 = map:counts
    r2 = r10
    r2 += -4
    call map_lookup_elem
"""
PACKET = """
    r6 = r1
    r2 = *(u32 *)(r6 + 0)
    r3 = *(u32 *)(r6 + 4)
"""

REFUSED = {  # code: (section, program, slot of the complaint or None)
    "verifier-null-pointer": ("xdp", LOOKUP + "r0 = *(u64 *)(r0 + 0)\nexit", 6),
    "verifier-not-a-pointer": ("xdp", "r2 = 7\nr0 = *(u64 *)(r2 + 0)\nexit", 1),
    "verifier-packet-bounds": ("xdp", PACKET + "r0 = *(u8 *)(r2 + 12)\nexit", 3),
    "verifier-no-return-value": ("xdp", "exit", 0),
    "verifier-uninitialised": ("xdp", "r0 = r6\nexit", 0),
    "verifier-map-value-bounds": ("xdp", LOOKUP + "if r0 == 0 goto +1\nr0 = *(u64 *)(r0 + 8)\nr0 = 0\nexit", 7),
    "verifier-unbounded": ("xdp", LOOKUP + """
        if r0 == 0 goto out
        r1 = *(u32 *)(r0 + 0)
        r0 += r1
        r0 = *(u8 *)(r0 + 0)
      out:
        r0 = 0
        exit""", 9),
    "verifier-endless-loop": ("xdp", "again:\nr0 = 0\ngoto again", None),
    "verifier-stack-bounds": ("xdp", "*(u64 *)(r10 - 520) = 1\nr0 = 0\nexit", 0),
    "verifier-no-such-helper": ("xdp", "call skb_vlan_pop\nr0 = 0\nexit", 0),
    "verifier-unreleased": ("xdp", """
        r1 = map:ring
        r2 = 8
        r3 = 0
        call ringbuf_reserve
        r0 = 0
        exit""", None),
    "verifier-context-field": ("xdp", "r0 = *(u32 *)(r1 + 400)\nexit", 0),
    "verifier-pointer-arithmetic": ("xdp", LOOKUP + "r0 += 8\nr0 = 0\nexit", 6),
    "verifier-modified-context": ("xdp", "r1 += 4\nr0 = *(u32 *)(r1 + 0)\nr2 = r10\nr2 += -4\nr3 = 4\ncall csum_diff\nexit", None),
    "verifier-argument-type": ("xdp", "r1 = 5\nr2 = r10\nr2 += -4\n*(u32 *)(r10 - 4) = 0\ncall map_lookup_elem\nr0 = 0\nexit", 4),
    "verifier-return-value": ("cgroup_skb/ingress", "r0 = 77\nexit", 1),
    "verifier-malformed": ("xdp", "r0 = 0\nexit\nr0 = 1\nexit", 2),
    "verifier-misaligned": ("xdp", "r2 = 0\n*(u64 *)(r10 - 12) = 1\nr0 = 0\nexit", 1),
    "verifier-stack-depth": ("xdp", "call func:deep\nr0 = 0\nexit", None),
}
DEEP = {"deep": "*(u8 *)(r10 - 500) = 1\ncall func:deeper\nr0 = 0\nexit", "deeper": "*(u8 *)(r10 - 500) = 1\nr0 = 0\nexit"}


@pytest.mark.parametrize("code", REFUSED)
def test_a_common_complaint_is_explained(code: str) -> None:
    section, text, slot = REFUSED[code]
    spec = obj(section, text, maps=(COUNTS, TABLE, RING), functions=DEEP if "deep" in text else {})
    with pytest.raises(VerifierError) as caught:
        loader.load(spec).close()
    error = caught.value
    complaint = read(error.log)
    reason = explain(error.summary, complaint.before)
    assert reason is not None and reason.code == code, (error.summary, error.log)
    assert error.explanation == reason.said() and reason.said() in str(error)
    if slot is not None:
        assert f"insn {slot}" in str(error), str(error)


def test_gpl_only_helper_names_the_licence() -> None:
    spec = obj("tracepoint/sched/sched_switch", "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall probe_read_kernel\nr0 = 0\nexit",
               license="Proprietary")
    with pytest.raises(VerifierError, match="licence") as caught:
        loader.load(spec).close()
    assert "GPL" in caught.value.summary


def test_the_source_line_is_shown_with_what_was_known(tmp_path) -> None:
    source = tmp_path / "prog.s"
    text = "\n".join(line.strip() for line in LOOKUP.strip().splitlines()) + "\nr0 = *(u64 *)(r0 + 0)\nexit\n"
    source.write_text(text)
    with pytest.raises(VerifierError) as caught:
        loader.load(obj("xdp", text, maps=(COUNTS,), file=str(source))).close()
    error = caught.value
    assert error.span is not None and (error.span.file, error.span.line) == (str(source), 6)
    lines = str(error).splitlines()
    assert lines[0].startswith(f"{source}:6:1: error[verifier-null-pointer]: the verifier rejected prog: R0 invalid")
    assert "    6 | r0 = *(u64 *)(r0 + 0)" in lines
    assert "      | ^ insn 6: r0 = *(u64 *)(r0 +0)" in lines
    if not older_than("5.16"):  # before, level 1 does not print registers along the way
        assert any(line.startswith("  the verifier knew: R0=map_value_or_null") for line in lines)
    assert any("note: R0 was set here" in line for line in lines)
    assert error.log.splitlines()[-1].startswith("processed ")


def test_the_log_is_complete_however_long() -> None:
    text = "".join(f"r{n % 4 + 2} = {n}\n" for n in range(60_000)) + "r0 = *(u64 *)(r0 + 0)\nexit"
    with pytest.raises(VerifierError) as caught:
        loader.load(obj("xdp", "r0 = 0\n" + text)).close()
    log = caught.value.log
    assert len(log) > 1 << 20
    assert log.startswith("0: ") and "processed " in log.splitlines()[-1] and f"{59_999}: " in log
    assert caught.value.summary in ("R0 invalid mem access 'scalar'", "R0 invalid mem access 'inv'") and caught.value.summary in log


def test_the_buffer_grows_until_the_log_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import progs

    text = "".join(f"r{n % 4 + 2} = {n}\n" for n in range(1000)) + "r0 = *(u64 *)(r0 + 0)\nexit"
    logs = []
    for first in (progs.FIRST_LOG, 256):
        monkeypatch.setattr(progs, "FIRST_LOG", first)
        with pytest.raises(VerifierError) as caught:
            loader.load(obj("xdp", "r0 = 0\n" + text)).close()
        logs.append([line for line in caught.value.log.splitlines() if not line.startswith("verification time")])
    assert logs[0] == logs[1] and len(logs[0]) > 1000


def test_a_log_can_be_had_of_an_accepted_program() -> None:
    with loader.load(obj("xdp", "r0 = 2\nexit"), log_level=2) as quiet:
        assert "0: (b7) r0 = 2" in quiet.programs["prog"].log
    with loader.load(obj("xdp", "r0 = 2\nexit")) as silent:
        assert silent.programs["prog"].log == ""
