#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the quick tests with a core that counts its lines, and tells how many of core/src and core/host were executed: in the Python package,
# in the programs of tests/c, in real Pd and in the mock of Max. Needs gcc, and gcovr in the virtual environment (make coverage sees to it).
#   tools/coverage.sh [TESTS…]      of the given tests instead of all quick ones
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/coverage bin=$PWD/.venv/bin
# Left out is what counting changes: races (of the counters), symbols, size and instructions, and what is said when the disk is full.
[ $# -gt 0 ] || set -- tests --ignore tests/train -m "not slow" -k \
    "not without_a_race and not needs_nothing_but and not exports_its_setup and not under_200 and not half_as_much_again and not disk_that_is_full"
rm -rf "$out" build/temp.* build/lib.* && mkdir -p "$out"

# A stamp that is the same at each compilation: both extensions of the package count into the same files.
printf '#!/bin/sh\nexec gcc "$@" --coverage -frandom-seed=1\n' >"$out/cc" && chmod +x "$out/cc"
export CC=$out/cc
PIP_DISABLE_PIP_VERSION_CHECK=1 "$bin/pip" install -q -c constraints.txt --no-deps --target "$out/site" .
tests=0
PYTHONPATH=$out/site "$bin/pytest" -q --basetemp "$out/tmp" -o tmp_path_retention_policy=all "$@" || tests=$?
"$bin/gcovr" --root . --filter core/src/ --filter core/host/ --gcov-ignore-errors=no_working_dir_found --gcov-suspicious-hits-threshold=0 \
    --gcov-ignore-parse-errors=negative_hits.warn_once_per_file -j 2 \
    --txt - --html-details "$out/index.html" "$out/tmp" build/temp.*
rm -rf build/temp.* build/lib.* build/bdist* ./*.egg-info ./*.gcno
echo "line by line: $out/index.html"
exit $tests
