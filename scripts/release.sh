#!/usr/bin/env bash
# Build what a release consists of from the commit that is checked out, and sign the list of it:
# scripts/release.sh FOLDER [SSH-KEY]. The same commit gives the same bytes on every machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=${1:?usage: scripts/release.sh FOLDER [SSH-KEY]}
key=${2:-}
if [ -n "$(git status --porcelain)" ]; then
    echo "Error: the checkout has changes that are not committed; a release is made from a commit" >&2
    exit 2
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [ -n "$(ls -A "$folder")" ]; then
    echo "Error: $folder is not empty; name a new folder" >&2
    exit 2
fi

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
# Not from the checkout, which may hold files that git passes over.
git archive HEAD | tar --extract --directory "$source"
(cd "$source" && hatchling build --directory "$folder" >/dev/null)
npm pack --workspace web --pack-destination "$folder" --silent >/dev/null

cd "$folder"
sha256sum -- * >SHA256SUMS
if [ -n "$key" ]; then
    ssh-keygen -q -Y sign -f "$key" -n streamrp2p-release SHA256SUMS
fi
cat SHA256SUMS
