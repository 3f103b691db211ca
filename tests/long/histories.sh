#!/bin/sh
# Random histories of a line, many of them: every tally, view and report counted a second way (tests/unit/report/t_tally.c, which takes
# two of them in the everyday suite). FL_SEED=N: the first seed; the seed of one that fails is the last that was printed.
. tests/flow/lib.sh
FL_SEED=${FL_SEED:-1} FL_SEEDS=${FL_SEEDS:-100} "$B/tests/report/t_tally" >"$T/out" 2>&1 || { tail -n 30 "$T/out"; fail "a history"; }
[ "$(grep -c '^# seed' "$T/out")" -gt "${FL_SEEDS:-100}" ] || fail "not every seed was there"
