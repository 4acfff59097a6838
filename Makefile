# Everything a reviewer would check: make check. Tools are installed into .tools, pinned.

GO            ?= go
GOLANGCI_LINT ?= v2.15.0
TOOLS         := $(CURDIR)/.tools
# All packages: those of this module and of backend/cpu, which is a module of its own.
ALL           := github.com/koopbench/koopbench/...
BACKEND       := github.com/koopbench/koopbench/backend/cpu

.PHONY: check test race race-short nightly soak bench bench-kernels bench-peer lint fmt tidy \
	generated examples python wheels site pictures build clean

check: fmt tidy generated lint test race-short

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bench ./cmd/bench

test:
	$(GO) test $(ALL)

race:
	$(GO) test -race -timeout 40m $(ALL)

# The short tests of the packages that run things at the same time; .ci/nightly has all tests.
race-short:
	$(GO) test -race -short -timeout 20m $(BACKEND)/... ./benchmark ./benchmark/results ./compose ./internal/... ./nn \
		./plugin/... ./registry

# What takes too long for every change.
nightly:
	.ci/nightly

# What the tests do a little of, in full: a thousand starts and stops of a plugin, hundreds of kills, arrays of 1 GiB,
# ten seeds of the whole benchmark killed 20 times and made in shards.
soak:
	KOOPBENCH_SOAK=1 $(GO) test -count=1 -v -timeout 2h -run '^(TestStartsAndStops|TestKills|TestLargeArrays|TestKillsLoseNoResult|TestDisturbed)$$' \
		./plugin ./cli ./cmd/bench

bench:
	$(GO) test -run '^$$' -bench . -benchmem $(ALL)

# The kernels of backend/cpu and a training step on this machine, for every kernel set that it runs.
bench-kernels:
	$(GO) version
	$(GO) -C backend/cpu test -run '^$$' -bench . -benchtime 20x -timeout 1h . ./internal/kernel

# koopbench against kooplearn and torch, in turn: docs/performance.md. PEER takes further flags: PEER='--steps'.
ROUNDS ?= 3
bench-peer:
	$(GO) run ./internal/peer --rounds $(ROUNDS) $(PEER)

# golangci-lint vets what is for this machine.
lint: $(TOOLS)/golangci-lint
	$(GO) vet -tags xla ./...
	# As the wheels are built, so that they need not be compiled again.
	CGO_ENABLED=0 GOARCH=arm64 $(GO) vet -trimpath $(ALL)
	CGO_ENABLED=0 GOOS=windows $(GO) vet -trimpath $(ALL)
	$(TOOLS)/golangci-lint run ./...
	cd backend/cpu && $(TOOLS)/golangci-lint run ./...

fmt:
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi

tidy:
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) -C backend/cpu mod tidy -diff

# The assembly, the wire format and the licence texts are what their generators write. The first two generators are
# modules of their own.
generated:
	cd backend/cpu/internal/kernel/gen && $(GO) test ./...
	cd plugin/wire/gen && $(GO) test ./...
	$(GO) test ./internal/licences/...

# The example plugins in Go: each is a module of its own.
examples: $(TOOLS)/golangci-lint
	PATH="$(TOOLS):$$PATH" .ci/examples

# The SDK for Python and the plugins on it, in environments of their own.
python:
	.ci/python

# The Python distribution, a wheel for each platform with the program in it: dist/.
wheels:
	sdk/python/wheels.sh

# The pictures of a terminal and of the page, from a real run.
pictures:
	.ci/pictures

# The site of docs/, in dist/site. Links to pages, headings and files that are not there fail.
site:
	.ci/site

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)

clean:
	rm -rf bench dist .tools
