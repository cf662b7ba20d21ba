# outletbot: `make demo` runs it, `make test` tests it. Each needs only Python 3.11.

PYTHON ?= python3.11
BIN = .venv/bin
# What is missing is installed quietly; what fails is shown.
KILLS = tests/outletbot/channels/test_kills_real.py
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-real check format bench rehearse fuzz chaos chaos-posts chaos-real screenshots translations lock clean

demo: .venv/.run  ## a sample outlet on this machine, no account anywhere needed
	@$(BIN)/outletbot demo

test: check  ## everything: linters, unit, property, race and browser tests
	$(BIN)/pytest -n 2 -m "not real" --cov --cov-report=term --ignore=tests/chaos
	$(BIN)/pytest tests/chaos  # each of them has processes enough

test-real: .venv/.test  ## against what others wrote: a Bluesky server, snac, twitter-text
	OUTLETBOT_SHARED=tests/real $(BIN)/pytest -n 2 --dist loadfile -m real --ignore=tests/chaos --ignore=$(KILLS)

chaos-real: .venv/.test  ## the worker killed 50 times while it posts to each of these servers
	OUTLETBOT_SHARED=tests/real $(BIN)/pytest -s $(KILLS)

check: .venv/.test  ## linters only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.test  ## writes bench/latest.json
	$(BIN)/python bench/run.py

rehearse: .venv/.test  ## 500 units, 5,000 shoppers, faults on; writes bench/rehearsal.json
	PYTHONPATH=. $(BIN)/python bench/rehearse.py

fuzz: .venv/.test  ## 1,000,000 spoilt files through the reader, about an hour; writes var/fuzz
	$(BIN)/python -m tests.fuzz --inputs 1000000 --workers 2

chaos: .venv/.test  ## eight minutes of kills and crashes, then an audit
	@rm -rf var/chaos
	$(BIN)/python -m tests.chaos

chaos-posts: .venv/.test  ## 10,000 posts to nine networks, the worker killed 1,000 times
	$(BIN)/python -m tests.chaos.posting

screenshots: .venv/.test  ## writes docs/images
	$(BIN)/python docs/screenshots.py

translations: .venv/.test  ## brings outletbot/locale up to what the pages say
	$(BIN)/python docs/translations.py

lock: .venv/.test  ## resolves the versions anew
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-strip-extras --extra build \
	  pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-strip-extras --extra build --extra dev \
	  --constraint requirements.txt pyproject.toml --output-file requirements-dev.txt

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python requirements.txt pyproject.toml
	@echo "Installing what outletbot needs (once, about a minute) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/bin/python requirements-dev.txt pyproject.toml
	@echo "Installing what outletbot and its tests need (once, about a minute) …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run
