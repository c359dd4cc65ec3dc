PY ?= python3
VENV := .venv
BOOT := .boot
RUN := $(VENV)/bin
ROOMS := agent tools data_gen evals
PARALLEL := -n 4 --dist loadfile --no-loadscope-reorder # a file's tests share their worlds; some wait for servers

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo extras test check bench services lock audit clean

# A caller's settings for other Pythons would send packages elsewhere or bring foreign ones in.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_PREFIX PIP_REQUIRE_HASHES PIP_ROOT PIP_TARGET UV_REQUIRE_HASHES UV_SYSTEM_PYTHON
export PIP_USER := 0
export UV_SYSTEM_CERTS ?= 1

# uv does not read pip's settings: whoever set a mirror, a wheel folder or a certificate for pip means them for uv too.
MIRROR = $(or $(PIP_INDEX_URL),$(shell $(BOOT)/bin/pip config get global.index-url 2>/dev/null))
WHEELS = $(if $(PIP_NO_INDEX),--no-index $(addprefix --find-links=,$(PIP_FIND_LINKS)))
UV = $(if $(PIP_CERT),SSL_CERT_FILE="$(PIP_CERT)") $(if $(MIRROR),UV_DEFAULT_INDEX="$(MIRROR)") $(BOOT)/bin/uv
COMPILE = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# Asked for by libraries of the default install, for what nothing here does: clusters and other services, model hubs,
# agents of old, building, reloading. Less is installed, and less could reach out. A test goes without them.
UNUSED = aiohttp bcrypt build httpx-sse huggingface-hub kubernetes langchain-classic mmh3 watchfiles zstandard

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(VENV)/$(if $(wildcard $(VENV)/.ok),.ok,.default)  ## fill the payer's form and write the letter for patient P001 and Ozempic
	@$(RUN)/pa setup
	@$(RUN)/pa draft P001 Ozempic --out out/demo
	@echo "  pa is $(RUN)/pa; to have it at hand: source $(RUN)/activate"
	@echo "  Another case: pa check P003 Wegovy; what else there is: pa --help; in a browser: pa serve --open"

extras: $(VENV)/.ok  ## install all the rest: every extra, and what the checks need

test: $(VENV)/.ok  ## run the tests but the slow ones, on four processes (ARGS=-n0 on one); make check runs all
	@$(RUN)/pytest -q -m 'not slow' $(PARALLEL) $(ARGS)

check: $(VENV)/.ok  ## the one gate: ruff, mypy --strict, import-linter, every test (ARGS=--cov shows what none of them runs)
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy $(ROOMS)
	@$(RUN)/lint-imports --no-logo
	@$(RUN)/pytest -q $(PARALLEL) $(ARGS)

bench: $(VENV)/.ok  ## measure what the README promises (ARGS=--write keeps the figures)
	@$(RUN)/python -m evals.bench $(ARGS)

services: $(VENV)/.ok  ## start PostgreSQL, Redis and FalkorDB on loopback, and print what to export (none is needed)
	@$(RUN)/pa services up $(ARGS)

lock: $(BOOT)/.ok  ## pin the dependencies again (ARGS=--upgrade takes newer ones)
	@printf 'uv\n' | $(COMPILE) $(ARGS) - -o bootstrap.lock
	@$(COMPILE) --group dev --all-extras $(ARGS) pyproject.toml -o requirements-dev.lock
	@printf '%s\n' $(UNUSED) | $(COMPILE) --excludes /dev/stdin -c requirements-dev.lock pyproject.toml -o requirements.lock
	@! grep -nE '://|--(extra-)?index-url|--find-links' *.lock
	@! git grep -nIE '(py[p]i|pythonhost[e]d)[.]org' -- .

# Strict, because a package that the database does not know passes otherwise.
AUDIT = $(UV) tool run -q pip-audit --strict --require-hashes --disable-pip --progress-spinner off

audit: $(BOOT)/.ok  ## look up what is locked in a database of vulnerabilities, by pip-audit (needs the network)
	@told=$$($(AUDIT) -r requirements-dev.lock 2>&1); status=$$?; case "$$told" in \
	  *"known vulnerabilit"*) printf '%s\n' "$$told"; exit $$status ;; \
	  *) echo "Nothing was looked up: $$(printf '%s\n' "$$told" | tail -n 1 | cut -c 1-200)" >&2; exit 3 ;; esac

clean:  ## remove the environment and the caches; drafts and stores stay
	rm -rf .venv .boot .coverage .coverage.* htmlcov build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BOOT)/.ok: bootstrap.lock
	@command -v $(PY) >/dev/null || { echo "$(PY) not found: Paladin needs Python 3.11 or newer; name one with make PY=python3.12" >&2; exit 1; }
	@$(PY) -c 'import sys; v = sys.version.split()[0]; sys.exit(0 if sys.version_info >= (3, 11) else "Paladin needs Python 3.11 or newer and $(PY) is " + v + "; name another with make PY=python3.12")'
	@test -e $(RUN)/python || echo "Setting up $(VENV) from the locks: once, under a minute with packages at hand" >&2
	@$(PY) -m venv --clear $(BOOT)
	@$(BOOT)/bin/pip install -q --no-compile --disable-pip-version-check --require-hashes -r bootstrap.lock
	@touch $@

# Bytecode is compiled here because nothing else does where PYTHONDONTWRITEBYTECODE is set; a cold `pa` would pay for it every time.
$(VENV)/.default: requirements.lock
$(VENV)/.ok: requirements-dev.lock
$(VENV)/.default $(VENV)/.ok: $(BOOT)/.ok pyproject.toml
	@test ! -e $@ || echo "Bringing $(VENV) up to its locks" >&2
	@$(RUN)/python -c '' 2>/dev/null || $(PY) -m venv --clear --without-pip $(VENV)
	@$(UV) pip sync -q -p $(RUN)/python --require-hashes --compile-bytecode $(WHEELS) $(filter requirements%,$^)
	@$(UV) pip install -q -p $(RUN)/python --no-deps --build-constraints requirements-dev.lock $(WHEELS) -e .
	@$(RUN)/python -m compileall -q $(ROOMS)
	@touch $@
