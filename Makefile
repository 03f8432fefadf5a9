# `make run` and `make test` need nothing but Python 3.12 or newer.
.PHONY: run install test test-deep test-spark test-live spark-server programs check check-deploy lint formatted types generated format audit sbom lock snapshot bench bench-explorer bench-growth bench-search bench-transfer bench-hosts bench-spark bench-peers

venv := .venv
python := $(venv)/bin/python
# Let the kernel stop the platform if make is killed (Linux with util-linux).
lifeline := $(shell command -v setpriv >/dev/null && echo setpriv --pdeathsig TERM)

run: $(venv)/base.installed
	@exec $(lifeline) $(python) manage.py run

install: $(venv)/dev.installed

# Compile, because tests start hundreds of processes, and let pytest store its rewritten assertions, even
# if PYTHONDONTWRITEBYTECODE is set. WORKERS: number of test processes, which often wait.
# A test that fails beside the others runs once more alone, because it may have exceeded a limit of time.
test: pytest := env PYTHONDONTWRITEBYTECODE= $(python) -m pytest -m "not deep and not live"
test: $(venv)/dev.installed programs
	@$(python) -m compileall -q airsense flights transfers tests
	@$(pytest) -n $(or $(WORKERS),5) --dist loadfile --no-loadscope-reorder || { [ $$? = 1 ] && \
	  echo "The failed tests run again, alone." && $(pytest) --last-failed --last-failed-no-failures=none --exitfirst; }

test-deep: $(venv)/dev.installed programs spark-server
	@deploy/find-program promtool >/dev/null
	@exec $(python) -m pytest -m deep --timeout 1800

# With a real Spark, of which pip downloads 400 MB at first.
test-spark: $(venv)/dev.installed spark-server
	@exec $(python) -m pytest -m spark --timeout 1800

spark-server:
	@deploy/find-program java >/dev/null
	@$(MAKE) --no-print-directory venv=.venv-spark .venv-spark/spark-server.installed

# Needs a Databricks workspace; see docs/databricks.md.
test-live: $(venv)/dev.installed
	@exec $(python) -m pytest -m live --timeout 1800

# Not every system has the package of the first, which is the fastest.
programs:
	@deploy/find-program chromium-headless-shell >/dev/null 2>&1 || \
	  deploy/find-program chromium chromium-browser google-chrome >/dev/null
	@deploy/find-program curl >/dev/null
	@deploy/find-program nginx >/dev/null

check: lint formatted types generated

lint: $(venv)/dev.installed
	$(python) -m ruff check
	$(venv)/bin/hadolint Dockerfile
	$(venv)/bin/zizmor --quiet --offline .github
	$(venv)/bin/cfn-lint deploy/aws/*.yml
	@! grep -rnE --include="*.py" 'task_always_eager|\bmock\b|monkeypatch' tests || \
	  { echo "Tests use real services: no eager tasks, mocks or monkeypatch."; exit 1; }

# Security of the templates; each exception is in the template with its reason.
check-deploy:
	@$(MAKE) --no-print-directory venv=.venv-deploy .venv-deploy/deploy.installed
	.venv-deploy/bin/checkov --directory deploy/aws --framework cloudformation --compact --quiet --skip-download

formatted: $(venv)/dev.installed
	$(python) -m ruff format --check

types: $(venv)/dev.installed
	$(python) -m mypy airsense flights transfers tests benchmarks deploy/aws

# Check that migrations and generated documents match the code.
generated: $(venv)/dev.installed
	$(python) manage.py check --fail-level WARNING
	$(python) manage.py makemigrations --check --dry-run
	$(python) manage.py document --check

# Known vulnerabilities of the locked packages. It asks an advisory service, so `make test` does not run it.
audit:
	@$(MAKE) --no-print-directory venv=.venv-audit .venv-audit/audit.installed
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes $(patsubst %,--requirement requirements/%.txt,base dev audit bench)

# The packages of the platform, as CycloneDX.
sbom: $(venv)/dev.installed
	$(venv)/bin/cyclonedx-py requirements --no-validate --output-reproducible --output-file $(or $(SBOM),sbom.json) requirements/base.txt

format: $(venv)/dev.installed
	$(python) -m ruff check --fix
	$(python) -m ruff format

# All benchmarks, on a separate platform, about 15 minutes. `make bench ONLY=gateway SECONDS=1` runs one, briefly.
bench: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(SECONDS),--seconds $(SECONDS))

# With 0.3, 2.4 and 24 million flights, about 40 minutes. FLIGHTS: a Parquet file with 2.4 million rows.
bench-growth: $(venv)/dev.installed bench-peers
	@exec $(python) -m benchmarks.growth $(if $(FLIGHTS),--flights $(FLIGHTS)) $(if $(SECONDS),--seconds $(SECONDS))

# Other systems and load generators have a separate environment.
bench-peers:
	@$(MAKE) --no-print-directory venv=.venv-bench .venv-bench/bench.installed

bench-search: $(venv)/dev.installed
	@exec $(python) -m benchmarks.search

# How soon the explorer shows rows, on a separate platform. `make bench-explorer FLIGHTS=file.parquet` publishes these flights first.
bench-explorer: $(venv)/dev.installed
	@exec $(python) -m benchmarks.explorer $(if $(FLIGHTS),--flights $(FLIGHTS)) $(if $(PAGES),--pages $(PAGES))

# Needs root, iproute2 and nginx; about 20 minutes. ONLY: words of the faults to try.
bench-hosts: $(venv)/dev.installed
	@exec $(python) -m benchmarks.hosts $(if $(ONLY),--only $(ONLY)) $(if $(SECONDS),--seconds $(SECONDS))

# The figures of five DOUBLE columns on Spark. ROWS: another number of rows.
bench-spark: $(venv)/dev.installed spark-server
	@exec $(python) -m benchmarks.spark_figures $(if $(ROWS),--rows $(ROWS))

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
	  lock base --override=overrides.txt && lock tracing && lock dev --override=overrides.txt && lock bench && lock deploy && lock audit && lock spark-server

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
