#!/bin/sh
# Every write, sync, rename, unlink of a station that records and of one that is made: it fails, the disk is full from then on;
# the signer is killed in it. About 1,200 faults; the release build.
make -s VARIANT=release WERROR=-Werror build/release/station_work build/release/disk_trace build/release/disk_cut || exit 1
B=build/release exec sh tests/fault/writes.sh all
