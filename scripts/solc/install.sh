#!/usr/bin/env bash
# Puts a `solc` that py-solc-x, forge and ape accept at the given path: solc.cjs, run by the venv's
# node itself (its console script would start a Python first, for each compilation).
set -euo pipefail

target=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
node=$(node -p process.execPath)

mkdir -p "$(dirname "$target")"
# Ape compiles a copy of the sources that lacks node_modules, so the checkout is always a place to look.
printf '#!/bin/sh\nexec "%s" "%s/solc.cjs" --include-path "%s" "$@"\n' "$node" "$here" "$root" >"$target"
chmod +x "$target"
"$target" --version >/dev/null
