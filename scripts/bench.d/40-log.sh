#!/bin/sh
# The signed log: commits, batches, re-verification, proofs (scripts/bench.d/log.c, log_proofs.c).
set -eu
make -s VARIANT=release build/release/bench-log >&2
if [ "${BENCH_QUICK:-}" = 1 ]; then exec build/release/bench-log --quick; fi
exec build/release/bench-log
