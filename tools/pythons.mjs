// node pythons.mjs PYODIDE ROOT SCRIPT ARGUMENT…: a Python script in a Pyodide, with the repository and the kernel's /sys as files.
import os from "node:os";

const [home, root, script, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(`${home}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: home });
for (const folder of [root, "/sys"]) {
  python.FS.mkdirTree(folder);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, folder);
}
python.globals.set("given", python.toPy({ root, script, args, machine: os.machine() }));
python.runPython(`
import os, platform, runpy, sys, types
platform.machine = lambda: given["machine"]
uname = os.uname_result((*os.uname()[:4], given["machine"]))
os.uname = lambda: uname
try:
    import fcntl
except ImportError:  # some Pyodides leave it to be downloaded; nothing here calls it
    sys.modules["fcntl"] = types.ModuleType("fcntl")
os.chdir(given["root"])
sys.path.insert(0, given["root"])
sys.dont_write_bytecode = True
sys.argv = [given["script"], *given["args"]]
try:
    runpy.run_path(given["script"], run_name="__main__")
except SystemExit as end:
    code = end.code or 0
else:
    code = 0
`);
process.exit(python.globals.get("code"));
