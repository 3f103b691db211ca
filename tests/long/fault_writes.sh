#!/bin/sh
# Every write, fsync, rename and unlink of a station that records and of one that is made: it fails, it kills, the disk is full
# from then on. About 1,200 faults.
exec sh tests/fault/writes.sh all
