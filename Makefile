# Every target does its own set-up: `scripts/setup_env.sh` ends at once when .venv is current.

PYTHON := .venv/bin/python
SOUK   := .venv/bin/souk
# Figures, not what third parties warn of.
BENCH  := PYTHONWARNINGS=ignore TF_CPP_MIN_LOG_LEVEL=3 $(PYTHON)
HOME_DIR ?= var
SHOP   ?= demo
DATA   ?=
ARGS   ?=
# Test files run side by side: the big ones wait for start-ups of their own half the time.
WORKERS ?= $(shell cores=$$(nproc 2>/dev/null || echo 2); echo $$((cores < 4 ? cores : 4)))
SIDE_BY_SIDE = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

PACKAGES := core shops trainer components serving pipeline
CODE := $(PACKAGES) benchmarks tests setup.py

.DEFAULT_GOAL := help
.PHONY: help setup run serve report test test-fast check format bench bench-serving \
        bench-training bench-ingest bench-search bench-lexical bench-text-encoder \
        bench-suggest bench-candidates bench-shelf bench-compress bench-compress-sweep bench-scale \
        bench-retrieval bench-jobs gpu-check kubeflow-dry-run flink-demo test-flink lock clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  SHOP=$(SHOP) DATA=path ARGS='...' go to the souk command."

setup:  ## Make .venv from the lock that fits this system.
	@scripts/setup_env.sh

run: setup  ## Run the pipeline of SHOP: tables in, a served model out.
	@$(SOUK) run $(SHOP) --home $(HOME_DIR) $(if $(DATA),--data "$(DATA)") $(ARGS)

serve: setup  ## Serve SHOP's pushed model over TensorFlow Serving's APIs.
	@$(SOUK) serve $(SHOP) --home $(HOME_DIR) $(ARGS)

report: setup  ## Print where SHOP's newest report is.
	@$(SOUK) report $(SHOP) --home $(HOME_DIR)

test: setup  ## All tests.
	$(PYTHON) -m pytest -q $(SIDE_BY_SIDE) $(ARGS)

test-fast: setup  ## The tests that need neither TFX nor patience.
	$(PYTHON) -m pytest -q $(SIDE_BY_SIDE) -m "not slow and not e2e and not tfx" $(ARGS)

test-flink: setup  ## Beam on Flink: in the job server, and on a cluster that loses a part.
	$(PYTHON) -m pytest -q -m "flink or flink_cluster" tests/pipeline/flink $(ARGS)

check: setup  ## Format, lint, types and the arrows between the folders.
	@failed=; for tool in "ruff check $(CODE)" "ruff format --check $(CODE)" \
	    mypy lint-imports; do \
	  echo ".venv/bin/$$tool"; .venv/bin/$$tool || failed="$$failed $${tool%% *}"; \
	done; \
	if [ -n "$$failed" ]; then echo "make check: failed:$$failed"; exit 1; fi

format: setup  ## Let ruff format and fix what it can.
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)

bench: setup  ## Page quality against baselines and peers on Online Retail.
	@$(BENCH) -m benchmarks.bench_quality $(if $(DATA),--data "$(DATA)") $(ARGS)

bench-serving: setup  ## Latency and saturation of the model server.
	@$(BENCH) -m benchmarks.bench_serving $(ARGS)

bench-jobs: setup  ## A whole run by the number of steps at once: seconds and memory.
	@$(BENCH) -m benchmarks.bench_jobs --shop $(SHOP) $(ARGS)

bench-training: setup  ## Training examples per second against the plain TFRS loop.
	@$(BENCH) -m benchmarks.bench_training $(ARGS)

bench-ingest: setup  ## Ingest against CsvExampleGen on the same rows.
	@$(BENCH) -m benchmarks.bench_ingest $(ARGS)

bench-search: setup  ## Search of SHOP against bm25s and tantivy, by class of query.
	@$(BENCH) -m benchmarks.bench_search --shop $(SHOP) --home $(HOME_DIR) \
	  $(if $(DATA),--data "$(DATA)") $(ARGS)

bench-lexical: setup  ## BM25 in the graph against bm25s and tantivy on 50,000 titles.
	@$(BENCH) -m benchmarks.bench_lexical $(ARGS)

bench-text-encoder: setup  ## The text encoder from scratch, frozen, full and LoRA.
	@$(BENCH) -m benchmarks.bench_text_encoder $(ARGS)

bench-compress: setup  ## Size, quality and speed of SHOP's bundle, compressed and not.
	@$(BENCH) -m benchmarks.bench_compress --shop $(SHOP) --home $(HOME_DIR) $(ARGS)

bench-compress-sweep: setup  ## Size, latency and quality over ways to compress, on validation.
	@$(BENCH) -m benchmarks.bench_compress_sweep --shop $(SHOP) --home $(HOME_DIR) $(ARGS)

bench-suggest: setup  ## Completions and spelling on a lexicon of 50,000 words.
	@$(BENCH) -m benchmarks.bench_suggest $(ARGS)

bench-candidates: setup  ## Page quality by the number of candidates, on validation.
	@$(BENCH) -m benchmarks.bench_candidates --shop $(SHOP) --home $(HOME_DIR) $(ARGS)

bench-shelf: setup  ## A page that weighs a shelf of items, against the whole catalogue.
	@$(BENCH) -m benchmarks.bench_shelf --shop $(SHOP) --home $(HOME_DIR) $(ARGS)

kubeflow-dry-run: setup  ## The compiled Kubeflow pipeline, run here step by step.
	$(PYTHON) -m pipeline.kubeflow.dry_run $(if $(filter demo,$(SHOP)),tiny,$(SHOP)) \
	  --home $(HOME_DIR) $(ARGS)

bench-scale: setup  ## Seconds and memory of the data steps at 100 k, 1 M, 10 M events.
	@$(BENCH) -m benchmarks.bench_scale $(ARGS)

flink-demo: setup  ## Beam steps of the tiny shop on a Flink cluster, and in this process.
	@$(SOUK) run tiny --home $(HOME_DIR)
	@$(PYTHON) -m pipeline.flink.demo tiny --home $(HOME_DIR) $(ARGS)

bench-retrieval: setup  ## In-graph retrieval, exact and partitioned, against libraries.
	@$(BENCH) -m benchmarks.bench_retrieval $(ARGS)

gpu-check: setup  ## SHOP's hot path on a GPU against the CPU, where there is a GPU.
	@$(BENCH) -m benchmarks.gpu_check --shop $(SHOP) --home $(HOME_DIR) $(ARGS)

lock: setup  ## Resolve requirements/*.in again, keeping locked versions where they fit.
	scripts/lock.sh $(ARGS)

clean:  ## Remove var/ and .venv/.
	rm -rf var .venv
