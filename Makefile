# `make` lists the targets. Everything installed is pinned with hashes in requirements/.

PYTHON ?= python3
ARGS ?=

# The function's platform: Lambda's Python, and its processor as wheels call it.
LAMBDA_PYTHON := 3.13
LAMBDA_ARCHITECTURE := aarch64

VENV := .venv
BIN := $(VENV)/bin
LOCK_VENV := .venv-lock
MINISTACK_VENV := .venv-ministack
MUTANTS_VENV := .venv-mutants
INFRA_VENV := .venv-infra

# Quiet twice: pip warns about the machine's own settings, which users cannot change here. It still shows errors.
# Python compiles on first import: most packages in the development lock are never imported.
PIP_FLAGS := --quiet --quiet --disable-pip-version-check --no-compile
COMPILE_FOR = $(LOCK_VENV)/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links $(ARGS)
COMPILE = $(COMPILE_FOR) --universal --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help sandbox test unit coverage deploy-test test-browser golden lint lint-infra proof mutants sabotage bench bench-report package wheel release format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

sandbox: $(VENV)/sandbox.stamp ## the whole system on this machine, with a drifted fleet (ARGS="--instances 100")
	@$(BIN)/elephant-dns sandbox $(ARGS)

# Every template that CloudFormation gets.
TEMPLATES := infra/template.yaml infra/policies.yaml infra/cell.yaml infra/notifications/chat.yaml

# One more than there are processors: the servers of some tests wait for a time-out while others compute.
WORKERS = $(shell $(BIN)/python -c "import os; print((os.cpu_count() or 1) + 1)")

test: lint ## everything that has to pass: lint, then the tests (ARGS go to pytest)
	$(BIN)/pytest --numprocesses $(WORKERS) $(ARGS)

unit: $(VENV)/dev.stamp ## rules, apply, report and the rest that needs no server, in seconds (ARGS go to pytest)
	$(BIN)/pytest tests/unit --ignore=tests/unit/report/test_browser.py $(ARGS)

coverage: $(VENV)/dev.stamp ## which lines and branches the tests run: build/coverage/index.html (ARGS go to pytest)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses auto $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

test-browser: $(VENV)/dev.stamp ## test the HTML report in Chromium, and take the README's picture of it again
	$(BIN)/pytest tests/unit/report/test_browser.py $(ARGS)
	$(BIN)/python -m tests.unit.report.picture

golden: $(VENV)/dev.stamp ## write golden reports, the README's example and what `explain` says again; read the diff
	$(BIN)/python -m tests.unit.report.golden
	$(BIN)/python -m tests.project.entries

deploy-test: $(VENV)/dev.stamp $(MINISTACK_VENV)/ministack.stamp ## deploy the template on an emulator
	$(BIN)/pytest --numprocesses auto -m deploy $(ARGS)

SPELLED := README.md CONTRIBUTING.md CHANGELOG.md Makefile pyproject.toml handler.py controller docs infra tests

lint: $(VENV)/dev.stamp ## style, types, import directions, templates, words, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(BIN)/mypy & types=$$!; \
		$(BIN)/codespell $(SPELLED) && $(BIN)/lint-imports && $(BIN)/cfn-lint $(TEMPLATES) && \
		$(BIN)/pytest --quiet tests/project/test_words.py; status=$$?; wait $$types && exit $$status

# The checkers bring a hundred packages, so `make test` goes without them.
lint-infra: $(VENV)/dev.stamp $(INFRA_VENV)/infra.stamp ## what others look for in templates, policies, workflows, units, container and code
	$(BIN)/cfn-lint $(TEMPLATES)
	$(INFRA_VENV)/bin/checkov --framework cloudformation --compact --quiet --skip-download \
		$(TEMPLATES:%=--file %)
	@mkdir -p build/container && cp infra/cron/Containerfile build/container/Dockerfile # checkov knows this name alone
	$(INFRA_VENV)/bin/checkov --framework dockerfile --compact --quiet --skip-download --file build/container/Dockerfile
	$(INFRA_VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive controller handler.py infra
	$(INFRA_VENV)/bin/zizmor --offline --pedantic infra/ci .github
	@mkdir -p build/units
	@for unit in service timer; do \
		sed 's|/opt/elephant-dns/bin/elephant-dns |/bin/true |' infra/cron/elephant-dns.$$unit > build/units/elephant-dns.$$unit; done
	@command -v systemd-analyze > /dev/null || { echo "systemd-analyze is missing: the units were not checked."; exit 0; }; \
		systemd-analyze verify --man=no build/units/elephant-dns.service build/units/elephant-dns.timer

proof: $(VENV)/dev.stamp ## the exhaustive tests, up to two hours, and the figures in docs/internals/proof.md (ARGS go to pytest)
	@status=0; $(BIN)/pytest --numprocesses auto --timeout 0 -m proof $(ARGS) || status=$$?; \
		$(BIN)/python -m tests.model.proof.page && exit $$status

# Remove the last run's notes on which test reaches which line: they are wrong after a change to the code.
mutants: $(MUTANTS_VENV)/mutants.stamp ## list changes to the rules that no test notices (ARGS="controller.rules.guards*" for some)
	@rm -rf mutants
	$(MUTANTS_VENV)/bin/mutmut run $(ARGS)
	@$(MUTANTS_VENV)/bin/mutmut results
	@$(MUTANTS_VENV)/bin/mutmut export-cicd-stats
	@$(MUTANTS_VENV)/bin/python -m tests.model.proof.mutants
	@$(MUTANTS_VENV)/bin/python -m tests.model.proof.page

sabotage: $(VENV)/dev.stamp ## break the code by hand, each way alone, and see a test notice (ARGS="guard retire" for some)
	@$(BIN)/python -m tests.project.sabotage $(ARGS)

bench: $(VENV)/dev.stamp ## measure the speed, beside octoDNS and a naive function (ARGS="growth event" for some)
	$(BIN)/python -m tests.benchmarks --output build/benchmarks.json $(ARGS)

bench-report: $(VENV)/dev.stamp ## write docs/internals/performance.md from the figures of `make bench`
	$(BIN)/python -m tests.benchmarks.report build/benchmarks.json docs/internals/performance.md

package: | $(VENV) ## build the Lambda function: dist/elephant-dns-watchdog.zip
	@$(BIN)/python -m infra.package --python $(LAMBDA_PYTHON) --architecture $(LAMBDA_ARCHITECTURE) \
		--output dist/elephant-dns-watchdog.zip

wheel: $(VENV)/build.stamp ## build the command line as a wheel in dist/; requirements/cli.txt is what it needs
	@rm -f dist/*.whl
	@$(BIN)/python -m hatchling build --target wheel --directory dist

release: package wheel ## package, wheel and its lock, lists of their components, and checksums, in dist/
	@$(BIN)/python -m infra.package_bom dist/elephant-dns-watchdog.zip dist/*.whl

format: $(VENV)/dev.stamp ## let ruff fix and format what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(LOCK_VENV)/lock.stamp ## write requirements/*.txt again (ARGS=--upgrade for newer versions)
	$(COMPILE) --extra sandbox --group dev pyproject.toml --output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt --extra sandbox pyproject.toml requirements/build.in --output-file requirements/sandbox.txt
	$(COMPILE) --constraint requirements/dev.txt --extra cli pyproject.toml requirements/build.in --output-file requirements/cli.txt
	$(COMPILE_FOR) --python-version $(LAMBDA_PYTHON) --python-platform $(LAMBDA_ARCHITECTURE)-manylinux2014 \
		--constraint requirements/dev.txt pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) --constraint requirements/dev.txt requirements/build.in --output-file requirements/build.txt
	$(COMPILE) requirements/lock.in --output-file requirements/lock.txt
	$(COMPILE) requirements/infra.in --output-file requirements/infra.txt
	$(COMPILE) requirements/ministack.in --output-file requirements/ministack.txt
	$(COMPILE) --constraint requirements/dev.txt requirements/mutants.in --output-file requirements/mutants.txt

clean: ## remove everything that make or a tool has created
	rm -rf $(VENV) $(LOCK_VENV) $(MINISTACK_VENV) $(MUTANTS_VENV) $(INFRA_VENV) build dist mutants .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than its lock, so nothing is installed twice. Both sets share one environment, because the versions in
# sandbox.txt are those in dev.txt. The larger set contains the smaller.
$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)
	$(call install,dev)
	@touch $(VENV)/sandbox.stamp $@

$(VENV)/sandbox.stamp: requirements/sandbox.txt pyproject.toml | $(VENV)
	$(call install,sandbox)
	@touch $@

# The versions are those in dev.txt, too.
$(VENV)/build.stamp: requirements/build.txt | $(VENV)
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/build.txt
	@touch $@

define install
@echo "Installing requirements/$(1).txt into $(VENV) ..."
@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/$(1).txt
@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
endef

$(LOCK_VENV)/lock.stamp: requirements/lock.txt | $(LOCK_VENV)
	@$(LOCK_VENV)/bin/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/lock.txt
	@touch $@

# The emulator into which the tests deploy the template.
$(MINISTACK_VENV)/ministack.stamp: requirements/ministack.txt | $(MINISTACK_VENV)
	@echo "Installing requirements/ministack.txt into $(MINISTACK_VENV) ..."
	@$(MINISTACK_VENV)/bin/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/ministack.txt
	@touch $@

$(INFRA_VENV)/infra.stamp: requirements/infra.txt | $(INFRA_VENV)
	@echo "Installing requirements/infra.txt into $(INFRA_VENV) ..."
	@$(INFRA_VENV)/bin/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/infra.txt
	@touch $@

# The tool that changes the code runs the tests in its own process, so it needs all their packages.
$(MUTANTS_VENV)/mutants.stamp: requirements/mutants.txt requirements/dev.txt | $(MUTANTS_VENV)
	@echo "Installing requirements/dev.txt and requirements/mutants.txt into $(MUTANTS_VENV) ..."
	@$(MUTANTS_VENV)/bin/python -m pip install $(PIP_FLAGS) --require-hashes \
		--requirement requirements/dev.txt --requirement requirements/mutants.txt
	@touch $@

$(VENV) $(LOCK_VENV) $(MINISTACK_VENV) $(MUTANTS_VENV) $(INFRA_VENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) --version 2>&1): this needs Python 3.11 or newer." \
			"Name another one: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $@ || { rm -rf $@; exit 1; }
