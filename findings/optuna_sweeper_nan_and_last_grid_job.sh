#!/usr/bin/env bash
# One would guess: a job of a Hydra multirun with the Optuna sweeper that returns NaN (a run that
# diverged) is a failed trial, as Optuna's documentation says ("treated as failures, but they will not
# abort studies"), and a failed job is one wherever it stands in a grid.
# What happens: NaN ends the whole sweep with "Values were told", since the sweeper tells Optuna of the
# failure together with the NaN. Returning None does what one wants. And with the grid sampler the
# sweep ends with an error, before the best setting is kept, if the last job of the grid fails.
# Why it matters: hours of finished jobs end without optimization_results.yaml.
# Versions: hydra-core 1.3.8, hydra-optuna-sweeper 1.3.0, optuna 2.10.1, Python 3.11.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q hydra-core==1.3.8 hydra-optuna-sweeper==1.3.0 optuna==2.10.1
venv/bin/pip list 2>/dev/null | grep -iE '^(hydra|optuna)'
cat > app.py <<'P'
import hydra


@hydra.main(version_base="1.3", config_path=None)
def main(config):
    if config.x == "raise":
        raise RuntimeError("this job fails")
    return {"diverges": float("nan"), "none": None}.get(config.x, 1.0)


main()
P
cat > run.sh <<'P'
name=$1; shift
venv/bin/python app.py -m hydra/sweeper=optuna hydra.sweeper.n_jobs=1 "hydra.sweep.dir=$name" \
    hydra.sweeper.max_failure_rate=1.0 "$@" > "$name.txt" 2>&1 && code=0 || code=$?
kept=$([ -f "$name/optimization_results.yaml" ] && echo yes || echo no)
echo "$name: exit code $code, best setting kept: $kept; $(grep -E '^(ValueError|RuntimeError)' "$name.txt" | tail -1 || true)"
P
{
    bash run.sh nan '+x=choice(diverges)' hydra.sweeper.n_trials=2
    # The grid is walked in any order: of one job that fails it is the last.
    bash run.sh grid '+x=choice(raise)' hydra/sweeper/sampler=grid
    bash run.sh none '+x=choice(none,good)' hydra.sweeper.n_trials=6 \
        hydra/sweeper/sampler=random hydra.sweeper.sampler.seed=0
} | tee seen.txt
grep -q '^nan: exit code 1, .*Values were told' seen.txt || exit 1
grep -q '^grid: exit code 1, .*Study.stop' seen.txt || exit 1
grep -q '^none: exit code 0, best setting kept: yes' seen.txt || exit 1
