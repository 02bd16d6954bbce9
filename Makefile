# make demo      optimize, pack, run and gate a real model, from nothing
# make demo-kws  pack a keyword spotter and stream a WAV through it
# make check     what CI runs: format, lint, types, import contracts, native tests, docs, tests, gate
# make test      every Python test
# make help      the rest

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

define fresh_python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "make: $(PYTHON) has no venv; run: apt-get install python3-venv" >&2; exit 2; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup check format lint types contracts test native-test goldens-update arm-test arm-run \
  fuzz docs gate gate-update demo demo-kws bench bench-features bench-optimizer lock clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -n 5
	@echo "  setup format lint types contracts native-test goldens-update arm-test fuzz docs gate"
	@echo "  gate-update bench bench-features bench-optimizer lock clean"

# The virtual environment, made again when what it holds changes.
setup: $(VENV)/.ready
NATIVE := CMakeLists.txt $(shell find native edgekit/_native -name '*.[ch]' -o -name CMakeLists.txt)
# an editable install knows the packages it was made with
PACKAGES := $(shell find edgekit converters -name __init__.py)
$(VENV)/.ready: pyproject.toml requirements.lock $(NATIVE) $(PACKAGES)
	$(call fresh_python)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint requirements.lock --editable '.[dev,docs,litert,sweep]'
	@touch $@

# The tests come last: what a run ends with is their summary.
check: format lint types contracts native-test arm-test docs gate test

format: setup
	$(BIN)/ruff format --check .
lint: setup
	$(BIN)/ruff check .
types: setup
	$(BIN)/mypy
contracts: setup
	$(BIN)/lint-imports
test: setup
	$(BIN)/pytest -n 2 --dist loadfile tests

# The C tests twice: as they are, and under AddressSanitizer and UndefinedBehaviorSanitizer.
native-test: build/native/.ready build/sanitized/.ready
	$(BIN)/ctest --test-dir build/native --output-on-failure
	$(BIN)/ctest --test-dir build/sanitized --output-on-failure
build/%/.ready: $(VENV)/.ready $(NATIVE)
	$(BIN)/cmake -S . -B build/$* -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DEDGEKIT_NATIVE_TESTS=ON -DEDGEKIT_SANITIZE=$(if $(filter sanitized,$*),ON,OFF) >/dev/null
	$(BIN)/cmake --build build/$* -- --quiet
	@touch $@
goldens-update: build/native/.ready
	build/native/native/tests/test_golden native/tests/goldens.txt --update
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

# The kernels' work against .ci/instructions.txt, and a bundle against itself, by the gate itself.
OWN_GATE := EDGEKIT_CACHE="$${EDGEKIT_TEST_CACHE:-$$HOME/.cache/edgekit-tests}" $(BIN)/python .ci/gate.py
gate: setup
	$(OWN_GATE) --policy $(if $(CI),release,pull-request)
gate-update: setup
	$(OWN_GATE) --update

# The C tests under emulated Arm. An instruction that a CPU lacks ends a test.
ARM_TESTS := '^(elementary|fft|ports|arguments|dispatch|golden|harness)$$'
# SVE of 32 bytes has operations of its own; longer vectors must get NEON's.
AARCH64_CPUS := cortex-a53 cortex-a72 cortex-a76 neoverse-n1 max,sve256=on,sme=off
LONGER_SVE := max,sve512=on,sme=off
WITHOUT_NEON := cortex-r5f
ARM_TOOLS := qemu-aarch64 qemu-arm aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc
arm-test: setup
	@missing=""; for tool in $(ARM_TOOLS); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then echo "arm-test: not run: needs$$missing; run: bash .ci/packages"; \
	  test -z "$$CI"; \
	else $(MAKE) --no-print-directory arm-run; fi
arm-run: build/aarch64/.ready build/armhf/.ready
	for cpu in $(AARCH64_CPUS); do QEMU_CPU=$$cpu $(BIN)/ctest --test-dir build/aarch64 -j 2 \
	  --output-on-failure -R $(ARM_TESTS) || exit 1; done
	QEMU_CPU=$(LONGER_SVE) $(BIN)/ctest --test-dir build/aarch64 --output-on-failure -R '^harness$$'
	QEMU_CPU=cortex-a15 $(BIN)/ctest --test-dir build/armhf -j 2 --output-on-failure -R $(ARM_TESTS)
	QEMU_CPU=$(WITHOUT_NEON) $(BIN)/ctest --test-dir build/armhf --output-on-failure -R '^(dispatch|harness)$$'
ARM_PROGRAMS := test_elementary test_fft test_ports test_arguments test_dispatch test_golden harness
build/aarch64/.ready build/armhf/.ready: build/%/.ready: $(VENV)/.ready $(NATIVE)
	$(BIN)/cmake -S . -B build/$* -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DEDGEKIT_NATIVE_TESTS=ON -DCMAKE_TOOLCHAIN_FILE=$(CURDIR)/native/toolchains/$*.cmake >/dev/null
	$(BIN)/cmake --build build/$* --target $(ARM_PROGRAMS) -- --quiet
	@touch $@

# Each operation's fuzzer for a minute, or FUZZ_SECONDS, from cases of the harness on: what it found and
# its log are kept in build/fuzz. Told are executions, edges (cov) and features (ft) reached.
FUZZ_SECONDS ?= 60
FUZZERS := log_mel cepstra stream micro clamp image rolling
fuzz: build/native/.ready
	@command -v clang >/dev/null || { echo "fuzz: needs clang; run: apt-get install clang" >&2; exit 2; }
	$(BIN)/cmake -S . -B build/fuzz -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DEDGEKIT_FUZZ=ON -DCMAKE_C_COMPILER=clang >/dev/null
	$(BIN)/cmake --build build/fuzz -- --quiet
	mkdir -p $(FUZZERS:%=build/fuzz/corpus/%)
	build/native/native/tests/harness --seeds build/fuzz/corpus --cases 60
	@for name in $(FUZZERS); do \
	  build/fuzz/native/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -max_len=512 -len_control=0 \
	    -print_final_stats=1 -artifact_prefix=build/fuzz/$$name- build/fuzz/corpus/$$name \
	    >build/fuzz/$$name.log 2>&1 || { tail -n 60 build/fuzz/$$name.log >&2; exit 1; }; \
	  echo "$$name: $$(grep -m 1 INITED build/fuzz/$$name.log)"; \
	  echo "$$name: $$(grep -m 1 DONE build/fuzz/$$name.log)"; done

# From a real trained model to a gated bundle, in an environment of its own.
demo: .demo/.ready
	.demo/venv/bin/python examples/ocr/demo.py
# A keyword spotter: from a small model to words heard in a stream.
demo-kws: .demo/.ready
	.demo/venv/bin/python examples/keyword_spotting/demo.py
.demo/.ready: pyproject.toml requirements.lock $(NATIVE) $(shell find edgekit converters -name '*.py')
	$(call fresh_python)
	test -x .demo/venv/bin/python || $(PYTHON) -m venv .demo/venv
	.demo/venv/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint requirements.lock '.[convert]'
	@touch $@

# Timings of the parts. They inform; the gate judges.
bench: setup
	$(BIN)/pytest benchmarks --benchmark-only

# Every feature beside its fastest peer, in one run of minutes: build/bench/features.md.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 POLARS_MAX_THREADS=1
bench-features: setup
	$(PIP) install --constraint requirements.lock --editable '.[bench]'
	@if command -v qemu-aarch64 aarch64-linux-gnu-gcc >/dev/null; then \
	  $(MAKE) --no-print-directory build/aarch64/.ready; fi
	$(BIN)/cmake -S . -B build/fused -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DEDGEKIT_CONTRACT=ON -DPython_EXECUTABLE=$(abspath $(BIN))/python >/dev/null
	$(BIN)/cmake --build build/fused -- --quiet
	$(ONE_THREAD) PYTHONPATH=tests $(BIN)/python benchmarks/features/run.py --out build/bench

# The optimizer on six real models beside other tools: fetches about 1 GB, takes about half an hour.
bench-optimizer: setup
	$(PIP) install --constraint requirements.lock --editable '.[bench]'
	$(BIN)/python benchmarks/optimizer/run.py --device arm://cortex-a76 --out build/bench-optimizer

# Versions that were tested together: a constraint for everyone who works here.
lock: setup
	$(BIN)/python -m pip freeze --exclude-editable --all | grep -viE '^(pip|setuptools|wheel)==' > requirements.lock

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
