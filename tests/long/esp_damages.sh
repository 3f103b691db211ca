#!/bin/sh
# Ten thousand single damaged bytes, the matrix of chip, loader and fault, and twenty thousand runs in weather that nobody
# planned (unit/esp/chaos.h), with a chance that differs every day; a failure names its seed.
set -eu
seed=${FL_SEED:-$(date +%Y%m%d)}
echo "FL_SEED=$seed"
FL_SEED=$seed FL_DAMAGES=10000 "$B/tests/esp/t_damage"
FL_SEED=$seed "$B/tests/esp/t_matrix"
FL_SEED=$seed FL_CHAOS=20000 "$B/tests/esp/t_chaos"
