#!/usr/bin/env bash
# One would guess: `pip install hydra-optuna-sweeper` (or hydra-submitit-launcher), both final releases,
# installs a final release of hydra-core; pip takes pre-releases only if asked to.
# What happens: the plugins require hydra-core>=1.1.0.dev7 (or the like), and a bound that names a
# pre-release lets pip take pre-releases of it: hydra-core 1.4.0rc3 comes in, and no Optuna sweep starts.
# Why it matters: an application that allows hydra-core<1.5 is moved to a release candidate by a plugin.
# The cure is to pin hydra-core in the extra that installs the plugin.
# Versions: hydra-optuna-sweeper 1.3.0, optuna 2.10.1, pip 23.2 and later, Python 3.11.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q hydra-optuna-sweeper==1.3.0 'hydra-core<1.5'
venv/bin/pip list 2>/dev/null | grep -iE '^(hydra|optuna|omegaconf)' | tee seen.txt
venv/bin/python -c "from importlib.metadata import requires; print(*requires('hydra-optuna-sweeper'), sep='\n')"
cat > app.py <<'P'
import hydra


@hydra.main(version_base="1.3", config_path=None)
def main(config):
    return 1.0


main()
P
venv/bin/python app.py -m hydra/sweeper=optuna '+x=choice(1,2)' hydra.sweeper.n_trials=2 > out.txt 2>&1 && code=0 || code=$?
echo "exit code $code"
tail -3 out.txt
grep -qE '^hydra-core +1\.4\.0rc' seen.txt || exit 1
[ "$code" != 0 ] || exit 1
