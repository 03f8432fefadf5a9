# `make run` and `make test` need nothing but Python 3.12 or newer.
.PHONY: run install test test-deep test-live programs check lint formatted types generated format lock snapshot bench bench-growth bench-search bench-transfer bench-peers

venv := .venv
python := $(venv)/bin/python
# Let the kernel stop the platform if make is killed (Linux with util-linux).
lifeline := $(shell command -v setpriv >/dev/null && echo setpriv --pdeathsig TERM)

run: $(venv)/base.installed
	@exec $(lifeline) $(python) manage.py run

install: $(venv)/dev.installed

# Compile first, because tests start hundreds of processes and PYTHONDONTWRITEBYTECODE may be set.
test: $(venv)/dev.installed programs
	@$(python) -m compileall -q airsense flights transfers tests
	@exec $(python) -m pytest -m "not deep and not live" -n 3 --dist loadfile --no-loadscope-reorder

test-deep: $(venv)/dev.installed programs
	@exec $(python) -m pytest -m deep --timeout 1800

# Needs a Databricks workspace; see docs/databricks.md.
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
	  { echo "Tests use real services: no eager tasks, mocks or monkeypatch."; exit 1; }

formatted: $(venv)/dev.installed
	$(python) -m ruff format --check

types: $(venv)/dev.installed
	$(python) -m mypy airsense flights transfers tests benchmarks

# Check that migrations and generated documents match the code.
generated: $(venv)/dev.installed
	$(python) manage.py check --fail-level WARNING
	$(python) manage.py makemigrations --check --dry-run
	$(python) manage.py document --check

format: $(venv)/dev.installed
	$(python) -m ruff check --fix
	$(python) -m ruff format

# All benchmarks, on a separate platform, about 15 minutes. `make bench ONLY=gateway SECONDS=1` runs one, briefly.
bench: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(SECONDS),--seconds $(SECONDS))

# With 0.3, 2.4 and 24 million flights, about 15 minutes. FLIGHTS: a Parquet file with 2.4 million rows.
bench-growth: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks.growth $(if $(FLIGHTS),--flights $(FLIGHTS)) $(if $(SECONDS),--seconds $(SECONDS))

# Other systems and load generators have a separate environment.
bench-peers:
	@$(MAKE) --no-print-directory venv=.venv-bench .venv-bench/bench.installed

bench-search: $(venv)/dev.installed
	@exec $(python) -m benchmarks.search

# FLIGHTS: a Parquet file.
bench-transfer: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks.transfer --peers .venv-bench/bin/python $(if $(FLIGHTS),--flights $(FLIGHTS))

# Generated documents are committed, so that reviewers see their changes.
snapshot: $(venv)/dev.installed
	$(python) manage.py makemigrations
	$(python) manage.py document

# Update the lock files to the newest versions that requirements/*.in allows.
lock: $(venv)/dev.installed
	cd requirements && lock() { ../$(python) -m uv pip compile --quiet --upgrade --universal \
	  --python-version 3.12 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" $$1.in --output-file $$1.txt $$2; } && \
	  lock base --override=overrides.txt && lock dev --override=overrides.txt && lock bench

# The lock file lists all packages, so pip resolves nothing. An incomplete environment is recreated.
$(venv)/%.installed: requirements/%.txt
	@test -w . || { echo "AirSense cannot write to $(CURDIR): use a folder that you own."; exit 1; }
	@$(python) -m pip --version >/dev/null 2>&1 || \
	  { base=$$(deploy/find-python) && echo "Creating $(venv) with $$base" && \
	    "$$base" -m venv --clear $(venv); }
	@echo "Installing requirements/$*.txt (about 30 s)"
	@$(python) -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement requirements/$*.txt
	@touch $@
