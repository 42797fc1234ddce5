# `make` lists the targets; each is one line or two. Needs Python 3.11 and make; everything else is installed here.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python

help:            ## this list
	@grep -E '^[a-z]+: .*##|^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

demo: .venv/run  ## compile the four examples and run them, in the kernel or in the VM
	$(RUN) tools/demo.py

test: check      ## lint, types, and the whole default test suite, on all cores
	$(RUN) -m pytest -n auto --dist loadgroup

check: .venv/dev ## lint and types only: ours, and those of user programs under mypy and pyright
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(RUN) tools/strict.py

bench: .venv/dev ## code quality beside clang -O2, then speed of the tools
	$(RUN) -m benchmarks

kernels: .venv/run ## load the four examples' objects on five other kernels; attach in every way that each has
	$(RUN) tools/kernels.py
	$(RUN) tools/attach_matrix.py --write

pyz: .venv/run   ## the whole of it in one file, purebpf.pyz
	$(RUN) tools/pyz.py

bless: .venv/dev ## rewrite what the filetests expect; read the diff
	$(RUN) -m tests.filetests.runner --bless

gen: .venv/dev   ## regenerate the tables taken from the kernel's BTF
	$(RUN) tools/gen_uapi.py
	$(RUN) tools/gen_contexts.py
	$(RUN) tools/gen_isa_docs.py
	$(RUN) tools/gen_codemap.py

fuzz: .venv/dev  ## 2,000 random programs in five runners
	$(RUN) -m tests.property.programs 2000

effects: .venv/dev ## 2,000 random programs with maps, structs, packets and records, against CPython
	$(RUN) -m tests.property.effects 2000

loops: .venv/dev    ## 500 random loops that count, remember and decide: does the verifier take them?
	$(RUN) -m tests.property.loops 500

parsers: .venv/dev ## a minute of coverage-guided fuzzing on each reader of instructions (installs atheris)
	$(RUN) -m pip install -q atheris
	$(RUN) tools/fuzz.py all 60

pythons: .venv/run ## the corpus in Python 3.12, 3.13 and 3.14 (Pyodide, from npm): the same objects, the same errors?
	$(RUN) tools/pythons.py

mutants: .venv/dev ## bugs of one line, planted one at a time: does the suite notice?
	$(RUN) tools/mutants.py

.venv/run: pyproject.toml
	tools/venv $(PYTHON) .venv
	@touch $@

.venv/dev: .venv/run
	tools/venv $(PYTHON) .venv dev
	@touch $@

.PHONY: help demo test check bench kernels pyz bless gen fuzz effects parsers pythons mutants
