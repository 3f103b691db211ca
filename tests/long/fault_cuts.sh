#!/bin/sh
# The power is cut after every call of a station that records, of one that is made, of one whose signer is a process of its own,
# of one that makes a commit again, of one whose sync failed. The release build: thousands of starts.
make -s VARIANT=release WERROR=-Werror build/release/station_work build/release/disk_trace build/release/disk_cut || exit 1
B=build/release exec sh tests/fault/cuts.sh all
