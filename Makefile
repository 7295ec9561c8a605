# make help says what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$(LDFLAGS)"
SYSTEMS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
FUZZTIME ?= 30s
# The translated C below the database is not watched for races: it takes most of
# the time then, and whoever uses it is watched.
RACE     := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false
# The checker of accessibility that the browser tests load into the pages.
AXE      := axe-core@4.14.1
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable chrome headless-shell

# In continuous integration the browser test must run; elsewhere it is skipped,
# with a word about it, where there is no browser.
ifeq ($(CI),true)
export JOBRUNNER_BROWSER := required
endif

.PHONY: help build run test soak deps lint test-python bench screenshots cross fuzz fuzz-short clean

help: ## Print these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## Build bin/jobrunner, one static binary
	$(BUILD) -o bin/jobrunner ./cmd/jobrunner

run: ## Run the daemon here, from the source
	go run ./cmd/jobrunner

test: deps lint cross test-python fuzz-short ## Run all checks and all tests: what continuous integration runs
	@echo "== go test"
	go test $(RACE) -shuffle=on -timeout 15m ./...

soak: deps ## Run the tests of faults for long, half an hour or so (SEED=n repeats one)
	@seed=$${SEED:-$$(date +%s)}; \
	echo "== soak, seed $$seed: make soak SEED=$$seed repeats it"; \
	JOBRUNNER_SOAK=1 JOBRUNNER_SEED=$$seed \
		go test $(RACE) -count=1 -timeout 2h ./jobs ./watcher ./runner ./schedule ./hooks ./retention ./cmd/jobrunner

deps: ## Install what the tests need, or say what is missing: Go, a C compiler, python3, Chromium, strace
	@echo "== deps"
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; exit 1; }
	@have() { for name; do command -v "$$name" >/dev/null 2>&1 && return; done; return 1; }; \
	compiler() { have $$(go env CC); }; \
	browser() { have $(BROWSERS) || [ -d "/Applications/Google Chrome.app" ]; }; \
	packages=; \
	compiler || packages="$$packages gcc libc6-dev"; \
	have python3 || packages="$$packages python3"; \
	browser || packages="$$packages chromium fonts-dejavu-core"; \
	have strace || packages="$$packages strace"; \
	have mkfs.ext4 || packages="$$packages e2fsprogs"; \
	have npm || [ -f ui/testdata/axe.min.js ] || packages="$$packages npm"; \
	if [ -n "$$packages" ] && [ "$$(id -u)" = 0 ] && have apt-get; then \
		{ apt-get update -q && DEBIAN_FRONTEND=noninteractive \
			apt-get install -q -y --no-install-recommends $$packages; } </dev/null || true; \
	fi; \
	missing=; \
	compiler || missing="$$missing a C compiler such as gcc (for go test -race);"; \
	have python3 || missing="$$missing python3 (for the examples);"; \
	if [ -n "$$missing" ]; then echo "please install:$$missing" >&2; exit 1; fi; \
	have strace && have mkfs.ext4 || \
		echo "no strace or no mkfs.ext4 found: some tests of disk faults will be skipped; they need Linux and root"; \
	[ -f ui/testdata/axe.min.js ] || $(FETCHAXE) || \
		echo "no $(AXE) could be had through npm: the test of accessibility will be skipped"; \
	browser && exit; \
	if [ "$$JOBRUNNER_BROWSER" = required ]; then \
		echo "please install: Chromium or Chrome (for the browser test)" >&2; exit 1; \
	fi; \
	echo "no Chromium or Chrome found: the browser test will be skipped; install one to run it"

# It is used by tests alone, and no part of jobrunner.
define FETCHAXE
{ folder=$$(mktemp -d) && npm pack --silent --pack-destination "$$folder" $(AXE) >/dev/null && \
	tar xzf "$$folder"/*.tgz -C "$$folder" && mkdir -p ui/testdata && \
	cp "$$folder/package/axe.min.js" ui/testdata/axe.min.js; rm -rf "$$folder"; [ -f ui/testdata/axe.min.js ]; }
endef

lint: ## Check the format of the code, and look for mistakes: gofmt, go vet, staticcheck
	@echo "== lint"
	@files=$$(gofmt -l .) || exit 1; \
	if [ -n "$$files" ]; then echo "not gofmt-ed:"; echo "$$files"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

test-python: ## Test the Python examples
	@echo "== python"
	PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover -s examples

bench: ## Run the benchmarks, then whole systems side by side (BENCH='-only rate' and so on)
	go test -run '^$$' -bench . -benchmem ./...
	go run ./bench $(BENCH)

screenshots: ## Make the README's pictures anew, of a daemon with real jobs: docs/page.png, docs/terminal.svg
	JOBRUNNER_SCREENSHOTS="$(CURDIR)/docs" go test -count=1 -run '^TestScreenshots$$' ./cmd/jobrunner

cross: ## Build for Linux, macOS and Windows on amd64 and arm64 (DIST=folder keeps the binaries)
	@echo "== cross"
	@for system in $(SYSTEMS); do \
		os=$${system%/*} arch=$${system#*/} out=/dev/null suffix=; \
		if [ "$$os" = windows ]; then suffix=.exe; fi; \
		if [ -n "$(DIST)" ]; then out="$(DIST)/jobrunner-$$os-$$arch$$suffix"; fi; \
		echo "build $$system"; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o "$$out" ./cmd/jobrunner || exit 1; \
	done
	@for os in darwin windows; do \
		echo "vet $$os"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=amd64 go vet -trimpath ./... || exit 1; \
	done

fuzz: ## Fuzz every parser, each for FUZZTIME (30s); what is found is kept for the next time
	@FUZZCACHE="$$(go env GOCACHE)/fuzz" && $(FUZZALL)

fuzz-short: ## Fuzz every parser for a moment, from the examples in the tests
	@echo "== fuzz"
	@FUZZCACHE= && FUZZTIME=2s && $(FUZZALL)

# Each package's tests are built once. The database is not watched for what an
# input reaches in it: that would take most of the time.
define FUZZALL
folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
for dir in $$(grep -l '^func Fuzz' */*_test.go cmd/*/*_test.go | xargs -n 1 dirname | sort -u); do \
	binary="$$folder/$$(basename $$dir).test"; \
	go test -c -fuzz . -gcflags=modernc.org/sqlite/lib=-d=libfuzzer=0 -gcflags=modernc.org/libc=-d=libfuzzer=0 \
		-o "$$binary" "./$$dir" || exit 1; \
	for name in $$(cd "$$dir" && "$$binary" -test.list '^Fuzz'); do \
		echo "fuzz $$dir $$name"; \
		(cd "$$dir" && "$$binary" -test.run '^$$' -test.fuzz "^$$name$$" -test.fuzztime $${FUZZTIME:-$(FUZZTIME)} \
			-test.fuzzminimizetime 10x \
			-test.fuzzcachedir "$${FUZZCACHE:-$$folder}/$$dir" </dev/null >"$$folder/out" 2>&1) || \
			{ cat "$$folder/out"; exit 1; }; \
		tail -n 2 "$$folder/out" | head -n 1; \
	done || exit 1; \
done
endef

clean: ## Remove what building and testing made
	rm -rf bin screenshots coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
