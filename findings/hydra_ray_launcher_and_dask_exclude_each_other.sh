#!/usr/bin/env bash
# Hydra's Ray launcher and Dask's scheduler cannot be installed together.
#
# One would guess: two ways of one field to spread runs over machines go into one environment, and a
# project can offer both in one extra.
# What happens: hydra-ray-launcher 1.2.2 asks for cloudpickle below 3 (2.2.1 is of January 2023),
# distributed 2026.8.0 for cloudpickle 3 or newer: pip finds no solution, and says so only if it is asked
# for both at once. Asked for one after the other it downgrades cloudpickle and warns.
# Why it matters: an extra for each is needed, and a test suite with both needs two environments.
# Versions: hydra-ray-launcher 1.2.2, ray 2.60.0, distributed 2026.8.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
if "$work/venv/bin/pip" install --dry-run --disable-pip-version-check \
    hydra-ray-launcher==1.2.2 ray==2.60.0 distributed==2026.8.0 > "$work/said" 2>&1; then
  echo "pip found a solution"
  exit 1
fi
grep -e 'depends on cloudpickle' -e ResolutionImpossible "$work/said"
