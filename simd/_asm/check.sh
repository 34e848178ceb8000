#!/usr/bin/env bash
# Fails if the committed assembly is not what the generator writes.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
GOFLAGS=-mod=mod go run . "$out"
for file in "$out"/*.s; do
  diff -u "../$(basename "$file")" "$file"
done
