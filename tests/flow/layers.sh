#!/bin/sh
# The walls between the rooms stand; and the checker can see a breach.
set -eu
scripts/check-layers
# a breach, in a copy
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/scripts"
cp scripts/check-layers "$tmp/scripts/"
cp -r station "$tmp/"
echo '#include "record/recorder.h"' >>"$tmp/station/esp/esp.h"
if "$tmp/scripts/check-layers" >"$tmp/out"; then
    echo "a breach was not seen"
    exit 1
fi
grep -q 'station/esp/esp.h may not include record/recorder.h' "$tmp/out"
