#!/bin/sh
# Some power cuts; tests/long/fault_cuts.sh takes every call there is.
exec sh tests/fault/cuts.sh short
