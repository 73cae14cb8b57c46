PYTHON ?= $(shell command -v python3 || command -v python3.13 || command -v python3.12 || command -v python3.11)
ARGS ?=

.PHONY: run test check bench demo-reset messages lock

run:  ## Install what is missing, then start the web server and the worker.
	@$(PYTHON) scripts/bootstrap.py
	@exec .venv/bin/hub serve $(ARGS)

test:  ## The whole suite on SQLite, then again on PostgreSQL and Redis. ARGS go to pytest.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec .venv/bin/python scripts/test.py $(ARGS)

check:  ## Lint, format and types.
	@$(PYTHON) scripts/bootstrap.py --dev --no-front-end
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench:  ## The figures. ARGS=conversations|materials|newsletters|pages|search runs one group.
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec .venv/bin/python -m bench $(ARGS)

demo-reset:  ## Throw the embedded data away and start over with the demo.
	@$(PYTHON) scripts/bootstrap.py
	@exec .venv/bin/hub demo --reset

messages:  ## Bring the translation catalogues in line with the source.
	.venv/bin/python scripts/messages.py

lock:  ## Pin the newest allowed versions again, with hashes and without registry addresses.
	@$(PYTHON) scripts/bootstrap.py --dev --no-front-end
	.venv/bin/python -m pip install --quiet uv
	.venv/bin/uv pip compile --universal --python-version 3.11 --no-emit-index-url --generate-hashes --quiet --upgrade pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile --universal --python-version 3.11 --no-emit-index-url --generate-hashes --quiet --upgrade pyproject.toml --group dev -o requirements-dev.lock
	.venv/bin/uv pip compile --universal --python-version 3.11 --no-emit-index-url --generate-hashes --quiet --upgrade --group pyproject.toml:node -o requirements-node.lock
