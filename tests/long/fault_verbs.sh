#!/bin/sh
# The power is cut after every call of the verbs that change a station's folder or write a file. The release build.
make -s VARIANT=release WERROR=-Werror build/release/flashline build/release/station_work build/release/disk_trace build/release/disk_cut || exit 1
B=build/release exec sh tests/fault/verbs.sh
