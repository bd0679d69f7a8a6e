# Each target is one job of continuous integration, or one thing a person wants. `make help` lists them.

CARGO ?= cargo
SEED ?=
export POLKU_SAMPLES ?= $(abspath ../shared/data)

.PHONY: all help setup run test test-quick test-kafka simulate bench schemas lint format format-check alerts observe chart test-chart pictures kafka kafka-down

all: format-check lint test ## everything CI checks

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## what building needs: a C compiler, OpenSSL's headers, pkg-config
	@deploy/dev/setup build

run: setup ## the whole pipeline on the embedded log, with a simulated company
	@$(CARGO) build --quiet --package polku
	@deploy/dev/run

test: setup ## all five layers; layer 5 needs Java 17 and Maven
	@tests/layers all

test-quick: setup ## layers 1 to 4 alone: they need nothing but Rust
	@tests/layers quick

test-kafka: setup ## layer 5 alone: real Kafka, kill -9
	@tests/layers kafka

simulate: setup ## layer 3 over many seeds; SEED=n replays one
	@POLKU_SEEDS=$${POLKU_SEEDS:-10000} POLKU_SEED=$(SEED) $(CARGO) test --profile simulate --workspace --test all -- simulation --nocapture

bench: setup ## measure, as ratios in one run, with the image's setting of the allocator
	@MIMALLOC_PURGE_DELAY=-1 $(CARGO) run --release --package bench

schemas: setup ## compare the schemas with every released version
	@$(CARGO) run --quiet --package wire --example schemas

lint: setup ## clippy, with warnings as errors
	@$(CARGO) clippy --workspace --all-targets --quiet -- --deny warnings

format: ## format the code
	@$(CARGO) fmt --all

format-check: ## fail on unformatted code
	@$(CARGO) fmt --all --check

alerts: ## test the alert rules, and compare the dashboards with the program that writes them
	@deploy/dev/setup prometheus
	@deploy/dev/observe --check

observe: setup ## run it all under a real Prometheus and ask each panel of the dashboards
	@deploy/dev/setup prometheus
	@$(CARGO) build --quiet --package polku
	@deploy/dev/observe

chart: ## lint, render and validate the chart, the image's recipe and the compose file
	@deploy/dev/chart/check rendered

test-chart: setup ## install the chart on a real Kubernetes API server, and run its containers over real Kafka
	@deploy/dev/chart/check installed

pictures: setup ## take the README's pictures of the desk anew
	@$(CARGO) build --quiet --package polku
	@tests/browser/pictures

kafka: ## start Apache Kafka on loopback
	@deploy/dev/kafka/kafka up

kafka-down: ## stop it
	@deploy/dev/kafka/kafka down
