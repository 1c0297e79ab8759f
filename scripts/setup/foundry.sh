#!/usr/bin/env bash
# npm leaves Foundry out, without a word, where it has no build for the platform.
set -euo pipefail

for tool in forge anvil cast; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing: npm has no Foundry for this platform. Install Foundry 1.7.1 in its own way." >&2
        exit 1
    fi
done
