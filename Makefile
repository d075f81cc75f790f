# A thin front of CMake for the everyday commands. On a machine without make: sh cmake/bootstrap.sh TARGET.
#
#   make            bring what is missing, build into build/
#   make run        train the quick start and evaluate it
#   make test       unit, gradient, parity and system tests, sanitizers, analysis (CI=true: warnings are errors)
#   make test-long  the slow tests too, coverage among them
#   make bench      the speed, in pieces
#   make format     clang-format all sources
#   make install    PREFIX=/usr/local
#   make clean      removes the build folders, keeps .deps and runs

BUILD  := build
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local
cmake_options := $(if $(shell command -v ninja),-G Ninja) $(if $(MUJOCO_DIR),-DMUJOCO_DIR=$(abspath $(MUJOCO_DIR)))
configure = $(if $(shell test -f $(BUILD)/CMakeCache.txt && echo yes),cmake $(BUILD),cmake --preset release -B $(BUILD) $(cmake_options))
build     = cmake --build $(BUILD) --parallel $(JOBS)
ctest     = ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --no-tests=error --no-label-summary

.PHONY: all run test test-long bench format install clean deps deps-test

all: deps
	$(configure)
	$(build)

# a quick start never writes into the folder of an earlier one
run: deps
	$(configure)
	$(build) --target programs
	@out=runs/quickstart; n=1; \
	while [ -e $$out ]; do n=$$((n + 1)); out=runs/quickstart-$$n; done; \
	$(BUILD)/bin/rltrain --config quickstart.ini --out $$out && $(BUILD)/bin/rleval $$out

test: deps-test
	$(configure) -DRL_TESTS=ON $(if $(CI),-DRL_WERROR=ON)
	$(build)
	$(ctest) -LE slow

test-long: deps-test
	$(configure) -DRL_TESTS=ON $(if $(CI),-DRL_WERROR=ON)
	$(build)
	$(ctest)

# PEERS, PEERS2: Pythons with other trainers (tests/bench/peers/README.md); ROUNDS, of which the best counts
bench: deps
	$(configure)
	$(build) --target programs
	RL_BIN=$(BUILD)/bin bash tests/bench/table.sh $(ROUNDS)

format: deps-test
	bash tests/analysis/format.sh --fix

install: all
	cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	rm -rf $(BUILD) $(BUILD)-dev $(BUILD)-tsan $(BUILD)-coverage $(BUILD)-fuzz

deps:
	@sh cmake/bootstrap.sh deps

deps-test:
	@sh cmake/bootstrap.sh deps test
