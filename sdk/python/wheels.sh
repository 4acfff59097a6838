#!/usr/bin/env bash
# Builds the wheels of the distribution koopbench, each with the program for its platform, and the source distribution.
# They go to dist/ of the repository, or to the folder in DIST. It needs Go, and Python 3.10 or later, which PYTHON
# chooses. Equal sources give equal bytes.
#
#   ./wheels.sh                  all platforms
#   ./wheels.sh linux/amd64 …    some of them, as Go calls them
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
dist=${DIST:-$root/dist}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The program is static, so that any C library will do. Go 1.26 needs macOS 12.
declare -A tags=(
  [linux/amd64]=manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64
  [linux/arm64]=manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64
  [darwin/arm64]=macosx_12_0_arm64
  [darwin/amd64]=macosx_12_0_x86_64
  [windows/amd64]=win_amd64
)
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64
for platform; do
  [ -n "${tags[$platform]:-}" ] || { echo "there is no wheel for $platform, but for ${!tags[*]}" >&2; exit 2; }
done

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check build==1.3.0 hatchling==1.33.0
package() {
  "$work/venv/bin/python" -m build --no-isolation --outdir "$dist" "$@" > "$work/log" || { cat "$work/log"; exit 1; }
}

mkdir -p "$dist"
rm -f "$dist"/koopbench-*
for platform; do
  program=$work/$platform/bench
  case $platform in windows/*) program=$program.exe ;; esac
  "$root/.ci/program" "$platform" "$program"
  KOOPBENCH_WHEEL_PROGRAM=$program KOOPBENCH_WHEEL_PLATFORM=${tags[$platform]} package --wheel
done
package --sdist
ls -l "$dist"
