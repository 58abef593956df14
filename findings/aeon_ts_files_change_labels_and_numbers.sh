#!/usr/bin/env bash
# aeon, sktime: reading a .ts file turns the classes A and a into one; aeon also loses minus signs.
#
# One would guess: the readers of the UEA and UCR archive's own format return labels and values as
# they are written.
# What happens: both make every line lower case before they take the label from it, so that "A" and
# "a" come back as one class, and "Standing" as "standing" (sktime 1.2.0, aeon 1.6.0). With
# @timeStamps true aeon takes numbers out of "(time,value)" by the pattern \d+\.\d+, which has no
# sign and no exponent: -1.5 is read as 1.5, 2.5e-3 as 2.5, without a word; sktime reads them right.
# Why it matters: a two-class problem becomes one of one class, names do not match those of any
# other tool, and signed or small values are wrong by sign or by orders of magnitude.
# Versions: aeon 1.6.0, sktime 1.2.0, numpy 2.3.5, pandas 3.0.6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet aeon==1.6.0 sktime==1.2.0 numpy==2.3.5 pandas==3.0.6
cat > "$work/try.py" <<'PY'
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from aeon.datasets import load_from_ts_file
from sktime.datasets import load_from_tsfile

print(", ".join(f"{name} {version(name)}" for name in ("aeon", "sktime", "numpy", "pandas")))
HEADER = (
    "@problemName t\n@timeStamps {stamps}\n@missing false\n@univariate true\n@equalLength true\n"
    "@seriesLength 2\n@classLabel true A a\n@data\n"
)
folder = Path(sys.argv[1])
plain, stamped = str(folder / "plain.ts"), str(folder / "stamped.ts")
Path(plain).write_text(HEADER.format(stamps="false") + "-1.5,2.5e-3:A\n3.5,4.5:a\n")
day = "2007-01-01 00:0{}:00"
rows = [(-1.5, "2.5e-3", "A"), (3.5, "4.5", "a")]
Path(stamped).write_text(
    HEADER.format(stamps="true")
    + "".join(f"({day.format(0)},{x}),({day.format(1)},{y}):{label}\n" for x, y, label in rows)
)
right = np.array([[[-1.5, 2.5e-3]], [[3.5, 4.5]]])

found = {}
for name, path in (("plain", plain), ("stamped", stamped)):
    values, labels = load_from_ts_file(path)
    found["aeon", name] = np.allclose(values, right), labels.tolist()
    print(f"aeon   {name:8} values {values[0, 0].tolist()} labels {labels.tolist()}")
    values, labels = load_from_tsfile(path, return_data_type="numpy3d")
    found["sktime", name] = np.allclose(values, right), labels.tolist()
    print(f"sktime {name:8} values {values[0, 0].tolist()} labels {labels.tolist()}")

one_class = all(labels == ["a", "a"] for _, labels in found.values())
correct = {key: values for key, (values, _) in found.items()}
as_described = one_class and correct == {
    ("aeon", "plain"): True,
    ("sktime", "plain"): True,
    ("aeon", "stamped"): False,
    ("sktime", "stamped"): True,
}
raise SystemExit(0 if as_described else 1)
PY
"$work/venv/bin/python" -W ignore "$work/try.py" "$work"
