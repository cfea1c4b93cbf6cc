# SPDX-License-Identifier: MIT
# Everything a person does here. make help lists it.
PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
CORE = $(wildcard core/src/*.c core/src/*.h core/src/*.def core/host/*.[ch] core/bench/*.[ch] core/include/*.h)
PACKAGE = $(wildcard torchdrum_py/*.py torchdrum_py/*.pyx torchdrum_py/snare808_gradient.[ch] models/*.safetensors models/presets/*) pyproject.toml setup.py
PIP = PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -q -c constraints.txt
PYTEST = $(BIN)/pytest -q -n logical --maxprocesses 8 --dist loadfile

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: setup pd $(VENV)/torchdrum ## install what is missing, build, play a recording through [torchdrum~] in Pd
	@$(BIN)/python demo/demo.py

test: $(VENV)/torchdrum ## every quick test, no torch
	$(PYTEST) tests --ignore tests/train -m "not slow"

test-train: $(VENV)/torchdrum $(VENV)/train ## the tests of the training, with torch
	$(PYTEST) tests/train

check: setup-check $(VENV)/torchdrum $(VENV)/lint $(VENV)/release ## everything slow: all Pd versions, the Max object for Windows, sanitizers, valgrind, clang, style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(FORMATTED)
	$(BIN)/actionlint
	$(PYTEST) tests --ignore tests/train -m slow
	CC=clang $(PYTEST) tests/test_core_c.py tests/max/test_sound_in_mock_max.py -m "not slow"
	$(MAKE) mingw bench

pd: setup ## build [torchdrum~] for this machine's Pd, into pd_external/ (on Linux in both precisions)
	@if $(MAKE) pd-objects >build-pd.log 2>&1; then rm -f build-pd.log; \
	else echo "the Pd object was not built, see build-pd.log" >&2; fi

pd-objects:
	$(MAKE) -C pd_external
ifeq ($(shell uname -s),Linux)
	rm -f pd_external/torchdrum~.o
	$(MAKE) -C pd_external CPPFLAGS=-DPD_FLOATSIZE=64 extension=linux-$(PD_CPU)-64.so
	rm -f pd_external/torchdrum~.o
endif
	mkdir -p pd_external/models && cp models/*.safetensors pd_external/models/

install: pd $(VENV)/torchdrum ## put the object, its help and the models where Pd looks
	$(BIN)/torchdrum doctor --install

setup: ## install compilers, Pd and headers by name (apt or Homebrew)
	@tools/setup.sh

setup-check:
	@tools/setup.sh check
	@tools/fetch_pd.sh

max-package: $(VENV)/torchdrum ## make the package for Max, with externals from EXTERNALS=<folders> (docs/max.md)
	@mkdir -p build
	$(BIN)/python tools/max_package.py build/torchdrum --externals $(EXTERNALS) --zip build/torchdrum-max.zip

dist: setup-check $(VENV)/torchdrum $(VENV)/release ## what is released, into dist/: wheel, sources, deken and Max packages, checksums
	rm -rf dist
	$(BIN)/python tools/release.py --objects $(OBJECTS) --externals $(EXTERNALS)

max-sdk-check: $(VENV)/torchdrum ## compare with the real headers of Max: make max-sdk-check MAX_SDK_BASE=<folder of max-sdk-base>
	@test -e "$(MAX_SDK_BASE)/c74support/max-includes/ext.h" || { echo "say where max-sdk-base lies: MAX_SDK_BASE=<folder that has c74support/>" >&2; exit 2; }
	MAX_SDK_BASE="$(MAX_SDK_BASE)" $(PYTEST) tests/max/test_builds_for_max.py -k real

bench: build/bench ## what the core costs, beside the straightforward reference build
	build/bench

build/bench: $(CORE)
	@mkdir -p build
	$(CC) $(CORE_FLAGS) $(wildcard core/bench/*.c) $(wildcard core/src/*.c) -o $@ -lm

fuzz: $(VENV)/torchdrum $(VENV)/lint ## ten minutes of hostile files, messages and sound, on two cores (needs clang)
	$(BIN)/python tools/fuzz.py --seconds 200 --jobs 2

soak: $(VENV)/torchdrum ## ten hours of audio, twice, in a few minutes
	TD_SOAK_HOURS=10 $(PYTEST) -n 0 -s tests/test_soak.py

coverage: $(VENV)/torchdrum $(VENV)/coverage ## which lines of core/ the quick tests execute (needs gcc)
	tools/coverage.sh

mingw: ## compile core and object for Windows, without running them
	@mkdir -p build/mingw
	for f in core/src/*.c core/host/*.c pd_external/*.c; do \
	    x86_64-w64-mingw32-gcc $(CORE_FLAGS) -std=gnu11 -Icore/host -I/usr/include/pd -Wall -Wextra -Werror -Wno-cast-function-type -c "$$f" -o build/mingw/x.o || exit 1; \
	done

arm: arm64 armv7 ## cross-compile core, object, bench and test programs for arm64 and armv7, into build/arm64/ and build/armv7/
arm64 armv7:
	$(MAKE) cross OUT=$(or $(OUT),build/$@) CROSS="$(CROSS_$@)"

# By the compiler CROSS into OUT: the core, whose least warning is an error, and made with it the object for single and for double precision Pd,
# the bench and programs of tests/c.
cross:
	@mkdir -p $(OUT)
	for f in core/src/*.c; do $(CROSS) $(CORE_FLAGS) $(CROSS_FLAGS) $(WARNINGS) -fPIC -fvisibility=hidden -c $$f -o $(OUT)/$$(basename $$f .c).o || exit 1; done
	for size in 32 64; do \
	    $(CROSS) $(CORE_FLAGS) -std=gnu11 -Icore/host -isystem /usr/include/pd -DPD_FLOATSIZE=$$size -Wall -Wextra -Werror -Wno-cast-function-type \
	        -fPIC -fvisibility=hidden -shared core/host/*.c pd_external/*.c $(OUT)/*.o -lm -lpthread -ldl -o $(OUT)/torchdrum~-$$size.so || exit 1; \
	done
	for name in $(CROSS_PROGRAMS); do $(CROSS) $(CORE_FLAGS) -std=gnu11 -static tests/c/$$name.c $(OUT)/*.o -lm -o $(OUT)/$$name || exit 1; done
	$(CROSS) $(CORE_FLAGS) -static core/bench/*.c $(OUT)/*.o -lm -o $(OUT)/bench

builtin: ## take the models and presets of models/ into the core
	$(PYTHON) tools/embed.py

format: $(VENV)/lint ## format C and Python
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(FORMATTED)

clean: ## remove what was built
	rm -rf build dist *.egg-info $(VENV) demo/out
	find . -name '*.o' -delete -o -name __pycache__ -prune -exec rm -rf {} +
	rm -f pd_external/*.pd_linux pd_external/*.so pd_external/*.l_* build-pd.log

PD_CPU = $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
CORE_FLAGS = -std=c11 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -Icore/include
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wdouble-promotion -Werror
CROSS_arm64 = aarch64-linux-gnu-gcc
CROSS_armv7 = arm-linux-gnueabihf-gcc -mthumb -mcpu=cortex-a8 -mfpu=neon -mfloat-abi=hard
CROSS_PROGRAMS = render onset_cost messages model_mutations
FORMATTED = $(filter-out %/builtin.c,$(wildcard core/src/*.[ch] core/host/*.[ch] core/bench/*.[ch] core/include/*.h pd_external/*.[ch] max_external/*.[ch] tests/c/*.[ch] tests/fuzz/*.[ch] tests/max/*.[ch] tests/max/sdk/c74support/*/*.h torchdrum_py/snare808_gradient.[ch]))

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

# The package with what the tests and the demo need, again whenever a source is newer.
$(VENV)/torchdrum: $(CORE) $(PACKAGE) | $(BIN)/pip
	$(PIP) ".[plot,test]"
	@if [ -e $@ ]; then $(PIP) --force-reinstall --no-deps .; fi
	@rm -rf build/lib* build/temp* build/bdist* *.egg-info
	@touch $@

$(VENV)/train: pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) ".[train,experiment,notebook]"
	@touch $@

$(VENV)/lint: pyproject.toml | $(BIN)/pip
	$(PIP) ".[lint,fuzz]"
	@touch $@

$(VENV)/release $(VENV)/coverage: pyproject.toml | $(BIN)/pip
	$(PIP) ".[$(notdir $@)]"
	@touch $@

.PHONY: help demo test test-train check pd pd-objects install setup setup-check dist coverage max-package max-sdk-check bench fuzz soak mingw arm arm64 armv7 cross builtin format clean
