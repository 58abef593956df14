#!/usr/bin/env bash
# Hydra 1.3.8: a `# @package` line below another comment is not read, and nothing says so.
#
# One would guess that comments above `# @package _global_` are harmless: YAML ignores comments, and the
# line is documented as a header of the file. In fact Hydra stops reading the header at the first line
# that is no directive, so a title or a licence line above it moves the whole file into its group's
# package. Without a defaults list the values land one level down, silently.
#
# Why it matters: experiment files are the ones that need `_global_`, and the ones that people give a
# title. seqnorm's own begin with the directive, and its page on parts of one's own says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check hydra-core==1.3.8 omegaconf==2.3.0 2>/dev/null
mkdir -p conf/experiment
printf 'defaults:\n  - experiment: null\n  - _self_\nrate: 0.1\n' >conf/config.yaml
printf '# @package _global_\n# A small rate.\nrate: 0.01\n' >conf/experiment/first.yaml
printf '# A small rate.\n# @package _global_\nrate: 0.01\n' >conf/experiment/second.yaml
cat >compose.py <<'PYTHON'
import hydra
from omegaconf import OmegaConf

found = {}
for name in ("first", "second"):
    with hydra.initialize(version_base="1.3", config_path="conf"):
        found[name] = OmegaConf.to_container(hydra.compose("config", [f"experiment={name}"]))
    print(f"directive on the {name} line: {found[name]}")
print("hydra-core", hydra.__version__)
# The experiment file is before _self_ here, so it is where its value lands that tells them apart.
same = found["first"] == {"rate": 0.1} and found["second"] == {
    "experiment": {"rate": 0.01},
    "rate": 0.1,
}
raise SystemExit(0 if same else 1)
PYTHON
venv/bin/python compose.py
