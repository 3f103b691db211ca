#!/bin/sh
# Some faults in what a station writes; tests/long/fault_writes.sh takes every call there is.
exec sh tests/fault/writes.sh short
