#!/usr/bin/env bash
# Hydra's Ray launcher cannot be installed beside Dask's scheduler, nor beside joblib 1.6.
#
# One would guess: ways of one field to spread runs over machines go into one environment, and a project
# can offer them in one extra; joblib at any rate, which has brought its own cloudpickle for years.
# What happens: hydra-ray-launcher 1.2.2 asks for cloudpickle below 3 (2.2.1 is of January 2023),
# distributed 2026.8.0 for cloudpickle 3 or newer, and so does joblib 1.6.0, where 1.5.3 depends on none:
# pip finds no solution, and says so only if it is asked for both at once. Asked for one after the other
# it changes cloudpickle and warns.
# Why it matters: an extra for each is needed, a test suite with both needs two environments, and a lower
# bound of joblib 1.6 breaks a project's extra for Ray.
# Versions: hydra-ray-launcher 1.2.2, ray 2.60.0, distributed 2026.8.0, joblib 1.6.0 and 1.5.3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
for beside in distributed==2026.8.0 joblib==1.6.0 joblib==1.5.3; do
  if "$work/venv/bin/pip" install --dry-run --disable-pip-version-check \
      hydra-ray-launcher==1.2.2 ray==2.60.0 "$beside" > "$work/said" 2>&1; then
    echo "beside $beside: a solution"
    [ "$beside" = joblib==1.5.3 ]
  else
    grep -q ResolutionImpossible "$work/said"
    [ "$beside" != joblib==1.5.3 ]
    echo "beside $beside: ResolutionImpossible, $(grep -o 'depends on cloudpickle.*' "$work/said" | sort -u | paste -sd, -)"
  fi
done
