# `make run` and `make test` need nothing but Python 3.12 or newer.
.PHONY: run install test test-deep test-live programs check lint formatted types generated format lock snapshot bench bench-growth bench-search bench-transfer bench-peers

venv := .venv
python := $(venv)/bin/python
# A kill of make must reach the platform too, where the system can arrange that.
lifeline := $(shell command -v setpriv >/dev/null && echo setpriv --pdeathsig TERM)

run: $(venv)/base.installed
	@exec $(lifeline) $(python) manage.py run

install: $(venv)/dev.installed

# Tests start hundreds of processes: where Python keeps nothing of what it compiled, each would again.
test: $(venv)/dev.installed programs
	@$(python) -m compileall -q airsense flights transfers tests
	@exec $(python) -m pytest -m "not deep and not live" -n 3 --dist loadfile --no-loadscope-reorder

test-deep: $(venv)/dev.installed programs
	@exec $(python) -m pytest -m deep --timeout 1800

# On a Databricks workspace: docs/databricks.md says what it needs.
test-live: $(venv)/dev.installed
	@exec $(python) -m pytest -m live --timeout 1800

programs:
	@deploy/find-program chromium chromium-browser google-chrome >/dev/null
	@deploy/find-program curl >/dev/null
	@deploy/find-program nginx >/dev/null

check: lint formatted types generated

lint: $(venv)/dev.installed
	$(python) -m ruff check
	$(venv)/bin/hadolint Dockerfile
	$(venv)/bin/zizmor --quiet --offline .github
	@! grep -rnE --include="*.py" 'task_always_eager|\bmock\b|monkeypatch' tests || \
	  { echo "Tests use the real thing: no eager tasks, mocks or patched transports."; exit 1; }

formatted: $(venv)/dev.installed
	$(python) -m ruff format --check

types: $(venv)/dev.installed
	$(python) -m mypy airsense flights transfers tests benchmarks

# What is written by hand and what is made from it agree.
generated: $(venv)/dev.installed
	$(python) manage.py check --fail-level WARNING
	$(python) manage.py makemigrations --check --dry-run
	$(python) manage.py document --check

format: $(venv)/dev.installed
	$(python) -m ruff check --fix
	$(python) -m ruff format

# On a platform of its own, about 15 minutes; `make bench ONLY=gateway SECONDS=1` is one of them, fast.
bench: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(SECONDS),--seconds $(SECONDS))

# With 0.3, 2.4 and 24 million flights, about 15 minutes; FLIGHTS names a Parquet file of 2.4 million.
bench-growth: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks.growth $(if $(FLIGHTS),--flights $(FLIGHTS)) $(if $(SECONDS),--seconds $(SECONDS))

# What AirSense is measured beside and by has an environment of its own.
bench-peers:
	@$(MAKE) --no-print-directory venv=.venv-bench .venv-bench/bench.installed

bench-search: $(venv)/dev.installed
	@exec $(python) -m benchmarks.search

# FLIGHTS names a Parquet file.
bench-transfer: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks.transfer --peers .venv-bench/bin/python $(if $(FLIGHTS),--flights $(FLIGHTS))

# Generated documents are committed, so that reviewers see their changes.
snapshot: $(venv)/dev.installed
	$(python) manage.py makemigrations
	$(python) manage.py document

# Newer versions of everything that requirements/*.in allows.
lock: $(venv)/dev.installed
	cd requirements && lock() { ../$(python) -m uv pip compile --quiet --upgrade --universal \
	  --python-version 3.12 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" $$1.in --output-file $$1.txt $$2; } && \
	  lock base --override=overrides.txt && lock dev --override=overrides.txt && lock bench

# The lock file names everything, so pip resolves nothing; a half-made environment is made anew.
$(venv)/%.installed: requirements/%.txt
	@test -w . || { echo "AirSense cannot write to $(CURDIR): use a folder that is yours."; exit 1; }
	@$(python) -m pip --version >/dev/null 2>&1 || \
	  { found=$$(deploy/find-python) && echo "Making $(venv) with $$found" && \
	    "$$found" -m venv --clear $(venv); }
	@echo "Installing requirements/$*.txt (about 30 s)"
	@$(python) -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement requirements/$*.txt
	@touch $@
