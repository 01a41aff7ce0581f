# Every target makes .venv first; a stamp file makes the second call free. PYTHON chooses the interpreter.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.installed-peers
WITH_SLOW := -m "not slurm and not postgresql and not long and not gpu"

.DEFAULT_GOAL := help
.PHONY: help setup demo train evaluate sweep report check reproduce gates lint type test slow long gpu matrix slurm postgresql smoke ci bench examples docs tensorboard clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "latentlab needs Python 3.11 or newer; found " + sys.version.split()[0] + "; choose one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(PEERS): $(STAMP)
	$(BIN)/python -m pip install --quiet --editable '.[dev,bench]'
	@touch $@

setup: $(STAMP)  ## make .venv and install latentlab into it

demo: $(STAMP)  ## train all five variants and compare them (ARGS="data.root=FOLDER")
	$(BIN)/python -m latentlab demo $(ARGS)

train: $(STAMP)  ## train one model (ARGS="model=cvae trainer.max_epochs=3")
	$(BIN)/python -m latentlab train $(ARGS)

evaluate: $(STAMP)  ## measure a finished run (ARGS="run=outputs/runs/FOLDER suite=full")
	$(BIN)/python -m latentlab evaluate $(ARGS)

sweep: $(STAMP)  ## train one model per combination of values (ARGS="model=ae,vae seed=0,1,2 sweep.name=first")
	$(BIN)/python -m latentlab train --multirun $(ARGS)

report: $(STAMP)  ## compare runs on one page (ARGS="sweep=first" or ARGS="runs=[FOLDER,FOLDER]")
	$(BIN)/python -m latentlab report $(ARGS)

check: $(STAMP)  ## train a small fixed sweep and compare its metrics with the recorded ones
	OMP_NUM_THREADS=1 $(BIN)/python -m latentlab check $(ARGS)

reproduce: $(STAMP)  ## train the recipes over three seeds and write docs/results.md, hours (ARGS="deep_ae pca")
	$(BIN)/python -m latentlab reproduce $(ARGS)

gates: $(STAMP)  ## train the recipes of at most five minutes anew and compare them with docs/results.json, an hour
	$(BIN)/python -m latentlab reproduce minutes=5 compare=docs/results.json $(ARGS)

lint: $(STAMP)  ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(STAMP)  ## static types
	$(BIN)/mypy

test: $(STAMP)  ## the test suite (LATENTLAB_DATA=FOLDER adds the tests on real MNIST)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

slow: $(STAMP)  ## the tests of seconds each: whole programs, kills, browsers, documents
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m "slow and not long" $(ARGS)

long: $(STAMP)  ## tests that take longer: 200 jobs, further kills and signals, thousands of malformed inputs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m long $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --hypothesis-profile=thorough tests/faults/test_malformed.py

gpu: $(STAMP)  ## the tests on CUDA devices; without one they are skipped, and say so
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m gpu -rs tests/gpu $(ARGS)

matrix: $(STAMP)  ## the test suite by each instruction set and each Python of 3.11 to 3.13 that is found, an hour and more
	bash tests/matrix.sh $(WITH_SLOW) $(ARGS)

slurm: $(STAMP)  ## the tests on a real Slurm, which root installs from Debian's packages and starts here
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slurm tests/slurm $(ARGS)

postgresql: $(STAMP)  ## the tests on a real PostgreSQL, which root installs from Debian's packages and starts here
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m postgresql tests/postgresql $(ARGS)

smoke: $(STAMP)  ## two batches of every variant x network through the real entry point
	$(BIN)/python -m latentlab train --multirun model=ae,sparse_ae,denoising_ae,vae,cvae net=linear,tied,mlp,cnn,resnet,rnn \
	  data=digits trainer=smoke callbacks=no_pictures logger=none $(ARGS)

ci:  ## everything that CI runs
	$(MAKE) --jobs=2 --output-sync lint type smoke  # each of them keeps one core busy
	$(MAKE) test ARGS='$(WITH_SLOW)'

bench: $(PEERS)  ## measure latentlab beside its peers, 40 min (LATENTLAB_DATA=FOLDER; ARGS="steps training")
	$(BIN)/python -m benchmarks $(ARGS)

examples: $(STAMP)  ## run the example notebooks and write them with their outputs (ARGS="01_train_a_vae")
	OMP_NUM_THREADS=1 $(BIN)/python -m examples $(ARGS)

docs: $(STAMP)  ## the documentation as a site in outputs/site, without a network; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict $(ARGS)

tensorboard: $(STAMP)  ## compare the runs below outputs/ in the browser
	$(BIN)/tensorboard --logdir outputs $(ARGS)

clean:  ## remove .venv and caches; outputs/ stays
	rm -rf $(VENV) .venv-3.* .pytest_cache .mypy_cache .ruff_cache dist build
