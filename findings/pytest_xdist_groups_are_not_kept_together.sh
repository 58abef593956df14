#!/usr/bin/env bash
# pytest-xdist under pytest 9.2: --dist loadgroup no longer keeps the tests of a group on one worker, silently.
#
# One would guess: tests with one xdist_group mark run on one worker, which is all that --dist loadgroup is for;
#   or an error where the installed pytest no longer lets it do so.
# What happens: pytest-xdist 3.8.0 appends the group's name to item._nodeid, and pytest 9.2 makes a test's id of
#   something else. Six tests of one group run on both workers. Under pytest 9.0 they run on one.
#   --dist loadfile and --dist loadscope read the id as it is, and keep working.
# Why it matters: what a group shares (a module's fixture, a trained network, a cache) is made by every worker,
#   and tests that must not run at once do. All pass; the suite only takes longer, and no output says why.
# Seen with: pytest-xdist 3.8.0, pytest 9.2.0 and 9.0.2, Python 3.11.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cat > test_group.py <<'PY'
import os
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_of_the_group(number):
    time.sleep(0.2)
    with open("seen", "a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PY

workers() {  # pytest's version, --dist
  rm -f seen
  "venv$1/bin/python" -m pytest -q -n 2 --dist "$2" -p no:cacheprovider >/dev/null
  sort -u seen | wc -l
}
for version in 9.0.2 9.2.0; do
  python3 -m venv "venv$version"
  "venv$version/bin/pip" install --quiet --disable-pip-version-check "pytest==$version" pytest-xdist==3.8.0
  for dist in loadgroup loadfile; do
    found=$(workers "$version" "$dist")
    echo "pytest $version  pytest-xdist 3.8.0  --dist $dist: workers that ran tests of the group: $found"
    eval "${dist}_${version//./_}=$found"
  done
done
[ "$loadgroup_9_0_2 $loadfile_9_0_2 $loadgroup_9_2_0 $loadfile_9_2_0" = "1 1 2 1" ]
