# make run    the whole pipeline on faces that the package ships, from nothing but python3
# make test   the tests, then on JAX those that hold on both backends;
#             ARGS='-k blend' or ARGS='-m slow' goes to pytest
# make report the benchmark of the sample faces and its report (from Python 3.11 on)
# make lint   ruff, as in the continuous integration
# make clean  remove the environment and the tools' caches
#
# PYTHON=python3.12 chooses the interpreter of a new environment.

PYTHON ?= python3
VENV ?= .venv
MASK ?= center
ARGS ?=

# Most of a test's time is one core's: compiling. A file's tests stay together, so that
# what they share is compiled once. XLA need not make fast what runs once, either, and
# threads of several processes for one core each wait for one another.
PARALLEL := -n auto --dist loadfile
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

BIN := $(VENV)/bin
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.requirements
DEV := $(VENV)/.requirements-dev
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test report lint clean

run: $(RUNTIME)
	$(BIN)/python pipelines/run.py --mask $(MASK) $(ARGS)

test: $(DEV)
	$(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL) $(ARGS)
ifeq ($(strip $(ARGS)),)
	KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=1 $(BIN)/python -m pytest \
		$(PARALLEL) -m 'both_backends and not slow and not slow_on_jax'
endif

report: $(DEV)
	$(BIN)/python pipelines/benchmark.py --samples --limit 64 --pictures 64 \
		--methods refined plain encoder conv pconv iconv pconv-gan biharmonic telea \
		navier-stokes patchmatch mean \
		--out reports/runs/samples
	$(BIN)/python pipelines/report.py --records reports/runs/samples \
		--out reports/samples --title 'Six masks on 64 sample faces'

lint: $(DEV)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

# The stamps are written last, so an interrupted installation is taken up again.
$(CREATED):
	$(PYTHON) -m venv $(VENV)
	touch $@

$(RUNTIME): requirements.txt | $(CREATED)
	@echo 'Installing requirements.txt into $(VENV): once, some minutes.'
	$(PIP) install --quiet -r requirements.txt
	touch $@

$(DEV): requirements-dev.txt requirements.txt | $(CREATED)
	@echo 'Installing requirements-dev.txt into $(VENV): once, some minutes.'
	$(PIP) install --quiet -r requirements-dev.txt
	touch $(RUNTIME) $@

# By name and not $(VENV): an environment kept elsewhere is its owner's to remove.
clean:
	rm -rf .venv .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
