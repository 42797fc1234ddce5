"""What is generated from objects: checkers accept it, compilers compile it, and it does what the object does."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import purebpf as bpf
from purebpf import elf, skeleton
from purebpf.btf.classes import struct_classes
from purebpf.cli import main
from purebpf.linker import link
from tests.elf.clang import compile

SOURCE = """
struct inner { __u16 a, b; };
struct value { __u64 n; struct inner in; char name[12]; __u8 flags : 3, more : 5; __u32 last; union { __u32 x; __u64 y; } u; };
struct key { __u32 a; __u16 b; } __attribute__((packed));
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, struct key); __type(value, struct value); } table SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } percpu SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
const volatile int limit = 3;
static int hidden_counter;
int hits = 5;
__u8 odd = 1;
struct value last_value;
long total;
SEC("xdp") int count(struct xdp_md *ctx) {
    struct key k = { 1, 2 }; struct value v = { .n = ctx->rx_queue_index + limit, .name = "abc", .flags = 5, .last = 7 };
    bpf_map_update_elem(&table, &k, &v, 0); last_value = v; hits++; hidden_counter++; total += hidden_counter;
    return hits;
}
SEC("tp/syscalls/sys_enter_getpgid") int traced(void *ctx) { total += 100; return 0; }
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compile(tmp_path_factory.mktemp("skel"), "my-prog", SOURCE)


def module_of(text: str, folder: Path, name: str) -> Any:
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


USE = """
from mod import MyProg
def use() -> None:
    with MyProg(constants={"limit": 8}) as k:
        n: int = k.hits.value
        for key, value in k.table.items():
            text: str = value.name
            number: int = key.a + value.n
        total: int = k.percpu[0].sum()
        for event in k.events.events(): print(len(event))
        k.count.attach("lo")
"""


def test_a_python_module_is_typed(path: str, tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text(skeleton.python(elf.read(path), "my-prog"), encoding="utf-8")
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("from mod import MyProg\nx: str = MyProg().hits.value\n", encoding="utf-8")
    root = Path(__file__).parents[2]
    for file, fine in (("use.py", True), ("wrong.py", False)):
        done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--config-file", str(root / "pyproject.toml"),
                               "--follow-imports=silent", file], cwd=tmp_path, capture_output=True, text=True,
                              env={"MYPYPATH": str(root), "PATH": "/usr/bin:/bin"}, check=False)
        assert (done.returncode == 0) is fine, done.stdout


@pytest.mark.kernel
def test_a_python_module_loads_and_attaches(path: str, tmp_path: Path) -> None:
    module = module_of(skeleton.python(elf.read(path), "my-prog"), tmp_path, "mod")
    with module.MyProg(constants={"limit": 8}) as k:
        assert k.count.test_run(bytes(64)).retval == 6 and k.hits.value == 6
        assert [(key.a, v.n, v.name, v.flags) for key, v in k.table.items()] == [(1, 8, "abc", 5)]
        import os

        os.getpgid(0)
        assert k.total.value >= 101
        with pytest.raises(AttributeError, match="did you mean 'total'"):
            k.totl  # noqa: B018


def test_from_c_knows_the_names(path: str) -> None:
    c = bpf.from_c(path)
    assert {"table", "percpu", "events", "hits", "limit", "count", "traced"} <= set(dir(c))
    assert c.simulate(c.count, bytes(64)).retval == 6
    with pytest.raises(AttributeError, match="did you mean 'hits'"):
        c.hitz  # noqa: B018


@pytest.mark.kernel
def test_from_c_is_what_a_loaded_object_is_asked_with(path: str) -> None:
    c = bpf.from_c(path)
    with c.load(attach=False) as k:
        assert k[c.count].test_run(bytes(64)).retval == 6 and k[c.hits].value == 6 and len(k[c.table]) == 1


C_USE = """
#include <stdio.h>
#include "skel.h"
int main(void) {
    char packet[64] = {0};
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = 64);
    struct my_prog_bpf *s = my_prog_bpf__open();
    if (!s) return 2;
    s->data->hits = 41;
    *(int *)&s->rodata->limit = 9;
    if (my_prog_bpf__load(s)) return 3;
    if (bpf_prog_test_run_opts(bpf_program__fd(s->progs.count), &opts)) return 4;
    printf("%d %d %d %d\\n", opts.retval, s->data->hits, (int)s->bss->last_value.n, bpf_map__fd(s->maps.table) > 0);
    my_prog_bpf__destroy(s);
    return 0;
}
"""


@pytest.mark.kernel
def test_a_c_header_compiles_and_runs(path: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None or not Path("/usr/include/bpf/libbpf.h").exists():
        pytest.skip("needs gcc and libbpf's headers")
    (tmp_path / "skel.h").write_text(skeleton.c_header(elf.read(path), "my-prog"), encoding="utf-8")
    (tmp_path / "use.c").write_text("#include <bpf/bpf.h>\n" + C_USE, encoding="utf-8")
    subprocess.run(["gcc", "-Wall", "-Werror", "-Wno-unused-function", "use.c", "-o", "use", "-lbpf"], cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "use")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "42 42 9 1\n"), done.stderr


def test_types_as_classes_have_the_layout(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["types", path]) == 0
    module = module_of(capsys.readouterr().out, tmp_path, "classes")
    spec = elf.read(path)
    assert bpf.sizeof(module.value) == spec.maps["table"].value_size and bpf.sizeof(module.key) == 6
    assert spec.btf is not None and struct_classes(spec.btf, [spec.maps["table"].value_type]).count("class ") == 3


def test_types_in_c_compile(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["types", path, "--c"]) == 0
    (tmp_path / "t.c").write_text(capsys.readouterr().out + "_Static_assert(sizeof(struct value) == "
                                  f"{elf.read(path).maps['table'].value_size}, \"\");\n", encoding="utf-8")
    subprocess.run(["clang-19", "-target", "bpf", "-c", "t.c", "-o", "t.o"], cwd=tmp_path, check=True)


LIGHT = """
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "types.h"
#include "light.h"
int main(void) {
  struct light *o = light__open_and_load();
  if (!o) return 1;
  printf("%d %d %d\\n", o->progs.count.prog_fd > 0, o->maps.table.map_fd > 0, o->data->hits);
  light__destroy(o);
  return 0; }
"""


@pytest.mark.kernel
@pytest.mark.parametrize("source", ["clang", "written", "linked"])
def test_light_skeletons_are_made_of_what_we_write(path: str, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    """bpftool runs the loading once and keeps the system calls as a program of their own."""
    if shutil.which("bpftool") is None:
        pytest.skip("needs bpftool")
    spec = elf.read(path)
    made = tmp_path / "light.o"
    {"clang": lambda: shutil.copy(path, made), "written": lambda: spec.save(made), "linked": lambda: link([spec]).save(made)}[source]()
    text = subprocess.run(["bpftool", "gen", "skeleton", "-L", str(made), "name", "light"], capture_output=True, text=True, check=True).stdout
    (tmp_path / "light.h").write_text(text, encoding="utf-8")
    assert main(["types", "--c", path]) == 0
    (tmp_path / "types.h").write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / "main.c").write_text(LIGHT, encoding="utf-8")
    subprocess.run(["gcc", "-w", "-o", str(tmp_path / "main"), str(tmp_path / "main.c"), "-lbpf"], check=True)
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1 1 5\n"), done.stderr
