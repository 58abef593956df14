# `make demo` and `make test` are all a newcomer needs: each makes the environment it runs in.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-exhaustive test-backends smoke-backends lint types docs clean

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("seqnorm needs Python >= 3.11; received %s. Set PYTHON=..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/ready
	$(BIN)/python scripts/demo.py

# Every test is in one of two tiers; tests/tiers.py says in which. The kernels are compiled once,
# before each worker would do so for itself.
# A worker takes a file whole, or each would make what its tests share. (pytest-xdist 3.8 does not see
# its own groups under pytest 9.2.)
TESTS := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
test: $(VENV)/ready
	$(BIN)/python -m tests.kernels.compile
	$(TESTS) -m 'not exhaustive' $(PYTEST_OPTIONS)

test-exhaustive: $(VENV)/ready
	$(BIN)/python -m tests.kernels.compile
	$(TESTS) -m exhaustive $(PYTEST_OPTIONS)

# Keras on JAX and on torch, without TensorFlow.
BACKENDS := .venv-backends
CONFORMANCE := $(BACKENDS)/bin/python -m pytest -n auto --dist loadfile tests/conformance
BINDING := $(BACKENDS)/bin/python -m pytest

$(BACKENDS)/ready: pyproject.toml
	$(PYTHON) -m venv $(BACKENDS)
	$(BACKENDS)/bin/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BACKENDS)/bin/pip install --quiet --disable-pip-version-check --group backends
	touch $@

test-backends: $(BACKENDS)/ready
	$(BACKENDS)/bin/python -m tests.kernels.compile
	KERAS_BACKEND=jax OMP_NUM_THREADS=1 $(CONFORMANCE) tests/kernels/test_jax.py tests/kernels/test_tables.py \
	  tests/kernels/test_layers.py
	KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(CONFORMANCE) tests/kernels/test_torch.py tests/kernels/test_tables.py \
	  tests/kernels/test_layers.py

# Each cell and normaliser against the reference and in keras.layers.RNN on a padded batch, one
# `fit`, a stateful layer, and one model per normaliser saved and loaded in a fresh process; each by
# the loop and by the kernels. Then what each backend could do to the kernels.
SELECTION := (test_property and float64 and right and (reference or keras_rnn)) \
  or (dynamic_shapes and simple_rnn-batch) or (saves_and_loads) \
  or (stateful and lstm-batch)
smoke-backends: $(BACKENDS)/ready
	$(BACKENDS)/bin/python -m tests.kernels.compile
	KERAS_BACKEND=jax OMP_NUM_THREADS=1 $(CONFORMANCE) -k '$(SELECTION)'
	KERAS_BACKEND=jax OMP_NUM_THREADS=1 $(BINDING) -m 'not exhaustive' tests/kernels/test_jax.py tests/kernels/test_tables.py
	KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(CONFORMANCE) -k '$(SELECTION)'
	KERAS_BACKEND=torch OMP_NUM_THREADS=1 $(BINDING) -m 'not exhaustive' tests/kernels/test_torch.py tests/kernels/test_tables.py

lint: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/ready
	$(BIN)/mypy

# The documentation as a site in site/; a broken link or reference ends it.
DOCS := .venv-docs
$(DOCS)/ready: pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(DOCS)/bin/pip install --quiet --disable-pip-version-check --group docs
	touch $@

docs: $(DOCS)/ready
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) $(BACKENDS) $(DOCS) site build dist *.egg-info
