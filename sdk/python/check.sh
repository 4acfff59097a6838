#!/bin/sh
# Checks all of the SDK and the Python examples: format, lint, types, tests, generated code, and that a wheel builds and works.
# It makes virtual environments in .check, which it keeps for the next time; PYTHON chooses the interpreter. Where KOOPBENCH_BENCH
# names a built bench, that checks the plugins of the tests too. PYTHON_KOOPLEARN=1 has uv install torch, some gigabytes, for the
# tests that need it.
#
#   ./check.sh            everything
#   ./check.sh --lowest   the tests with the lowest versions that pyproject.toml allows, which needs Python 3.10 or 3.11
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
sdk=$PWD
start=$(date +%s)

step() { printf '\n== %s (%ds)\n' "$1" $(($(date +%s) - start)); }

environment() {
  [ -x "$1/bin/python" ] || "$python" -m venv "$1"
  folder=$1
  shift
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

if [ "${1:-}" = --lowest ]; then
  step "lowest versions"
  lowest=$(sed -n 's/^dependencies = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",' | sed 's/>=/==/g')
  # shellcheck disable=SC2086 # one argument each
  environment .check/lowest -e ".[test]" $lowest
  .check/lowest/bin/python -m pytest -q
  exit
fi

step "environment"
environment .check/venv -e ".[check]"
bin=$sdk/.check/venv/bin
ridge=../../examples/python-ridge
task=../../examples/python-task
kooplearn=../../examples/kooplearn

step "format, lint, types"
"$bin/ruff" format --check . "$ridge" "$task" "$kooplearn"
"$bin/ruff" check . "$ridge" "$task" "$kooplearn"
"$bin/mypy" src tests generate.py hatch_build.py
"$bin/mypy" "$ridge"
"$bin/mypy" "$task"

step "tests"
"$bin/python" -m pytest -q
"$bin/python" -m pytest -q "$ridge"
"$bin/python" -m pytest -q "$task"
"$bin/python" -m pytest -q -rs "$kooplearn"
if [ "${PYTHON_KOOPLEARN:-}" = 1 ]; then
  with_torch() { uv run --no-project --with-requirements "$kooplearn/plugin.py" --with "$sdk[test]" python -m pytest -q "$@"; }
  with_torch "$kooplearn"
  with_torch tests -k torch
fi

step "generated code"
"$bin/python" generate.py --check

step "wheel"
rm -rf .check/dist .check/wheel
"$bin/python" -m build --outdir .check/dist > .check/build.log || { cat .check/build.log; exit 1; }
environment .check/wheel .check/dist/*.whl
.check/wheel/bin/python -c 'import koopbench, koopbench_plugin, pathlib
for package in koopbench, koopbench_plugin:
    assert (pathlib.Path(package.__file__).parent / "py.typed").exists()
print("koopbench", koopbench.__version__)'
awk '/^```python$/ { inside = 1; next } /^```$/ && inside { exit } inside' README.md > .check/my_ridge.py
if .check/wheel/bin/python .check/my_ridge.py 2> .check/by_hand.log || ! grep "method my-ridge" .check/by_hand.log; then
  cat .check/by_hand.log
  exit 1
fi

step "done"
