#!/usr/bin/env bash
# Hydra: a file that the user gives with --config-dir loses to the application's file of that name, silently.
#
# One would guess: what the user names on the command line comes before what the application brings, as with
#   every search path that is extended by hand; or a warning where two files have one name. And a choice in a
#   file that ends in .yml is found, as by every other YAML tool.
# What happens: the application's folder comes first. conf/db/default.yaml hides mine/db/default.yaml, and
#   --config-dir RUN --config-name config, the way back to the configuration that a run has kept, takes the
#   application's config.yaml: the run's is never read. No message, exit code 0. A .yml file is no choice.
# Why it matters: an experiment runs with other values than the file on the command line says, and nothing in
#   its output shows it.
# Seen with: hydra-core 1.3.8, omegaconf 2.3.1, Python 3.11.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check hydra-core==1.3.8 omegaconf==2.3.1
venv/bin/python -c 'import hydra, omegaconf, sys; print("hydra-core", hydra.__version__, " omegaconf", omegaconf.__version__, " Python", sys.version.split()[0])'

mkdir -p app/conf/db mine/db
printf 'defaults:\n  - db: default\n  - _self_\nepochs: 10\n' > app/conf/config.yaml
printf 'port: 1\n' > app/conf/db/default.yaml
printf 'defaults:\n  - db: default\n  - _self_\nepochs: 99\n' > mine/config.yaml
printf 'port: 2\n' > mine/db/default.yaml
printf 'port: 3\n' > mine/db/other.yaml
printf 'port: 4\n' > mine/db/short.yml
cat > app/main.py <<'PY'
import hydra

@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config):
    print("epochs", config.epochs, "port", config.db.port)

main()
PY
app() { venv/bin/python app/main.py hydra.run.dir=. hydra.output_subdir=null "$@" --config-dir mine 2>&1 || true; }

same_name=$(app db=default)
kept_run=$(app --config-name config)
new_name=$(app db=other)
yml=$(app db=short)
echo "db=default, which both folders have:        $same_name"
echo "--config-name config, which both have:      $kept_run"
echo "db=other, which only mine has:              $new_name"
echo "db=short, in mine/db/short.yml:             $(head -1 <<< "$yml")"

[ "$same_name" = "epochs 10 port 1" ] && [ "$kept_run" = "epochs 10 port 1" ] \
  && [ "$new_name" = "epochs 10 port 3" ] && grep -q "Could not find 'db/short'" <<< "$yml" \
  || { echo "The behaviour has changed."; exit 1; }
