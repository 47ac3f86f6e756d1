# make            set up .venv, run the quickstart experiment, say where the report is
# make test-fast  unit and contract tests, without those that take long: a minute and a half at most
# make test       the same set-up, then every test that this machine can run
# make test-cluster   the experiment and its faults on real Slurm (as root: Debian's, installed and stopped)
# make test-wheel  build the wheel and use it in an environment of its own, away from the checkout
# make lint       ruff, snakefmt, snakemake --lint, codespell, mypy
# make verify     check that results are still what the workflow wrote
# make audit      look for known vulnerabilities of the locked packages (needs the network)
# make docs       regenerate docs/configuration.md and docs/catalogue.md from the registries
# make bench      measure speed and memory against named references (some twenty minutes)
# make clean      delete results/ and logs/ (never data/)

PYTHON ?= python3
CORES  ?= $(shell getconf _NPROCESSORS_ONLN)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# Waiting threads sleep instead of spinning, so that two jobs on one machine do not fight.
export OMP_WAIT_POLICY ?= passive
# glibc keeps freed memory for the next layer's output instead of asking the kernel for pages again.
export MALLOC_MMAP_MAX_ ?= 0
export MALLOC_TRIM_THRESHOLD_ ?= 2147483647
# Every job is a process that imports its libraries: without bytecode files torch alone takes six
# seconds instead of two.
unexport PYTHONDONTWRITEBYTECODE

# Snakemake and matplotlib keep caches at home. Where nothing can be written there, they go here.
CACHE_TRIAL = d="$${XDG_CACHE_HOME:-$$HOME/.cache}" && mkdir -p "$$d" && t=$$(mktemp "$$d/XXXXXX") \
  && echo trial > "$$t"; s=$$?; rm -f "$$t"; exit $$s
ifneq ($(shell ($(CACHE_TRIAL)) > /dev/null 2>&1; echo $$?),0)
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif

.PHONY: quickstart setup test-fast test test-cluster test-wheel lint format bench verify audit docs clean
.DEFAULT_GOAL := quickstart

quickstart: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --configfile config/quickstart.yaml
	@echo
	@echo "The report is in results/experiments/quickstart/report.html"

setup: $(READY)

$(READY): envs/requirements.lock envs/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "listenread needs Python 3.11 or 3.12; name one with: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once: a few minutes, 6 GB) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/uv.lock
	@$(BIN)/uv pip install --quiet --no-deps --require-hashes --python $(BIN)/python -r envs/requirements.lock
	@touch $(READY)

test-fast: setup
	$(BIN)/python -m pytest -m "not slow" tests/unit tests/contract

test: setup
	$(BIN)/python -m pytest

test-cluster: setup
	$(BIN)/python -m pytest tests/cluster

test-wheel: setup
	$(BIN)/python -m pytest tests/package

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint --configfile config/quickstart.yaml
	$(BIN)/codespell
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

bench: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/run.py $(BENCH)

verify:
	@sha256sum --check --quiet results/experiments/*/checksums.sha256
	@echo "Every listed file is as the workflow wrote it."

audit: setup
	$(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip -r envs/requirements.lock

docs: setup
	$(BIN)/python -m listenread.workflow.reference configuration > docs/configuration.md
	$(BIN)/python -m listenread.workflow.reference catalogue > docs/catalogue.md

clean:
	rm -rf results logs
