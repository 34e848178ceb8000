#!/bin/sh
# Measures an agent's turn: drover against llama.cpp behind a server. See README.md beside this file.
#
#   test/bench/run.sh TOKENIZER [PAIRS] [TYPE] [CPU]
#
# TOKENIZER is Llama 3's tokenizer.json (.gz), PAIRS how often each side takes the turn (5), TYPE the model's (Q4_0), CPU the
# processor that both are pinned to (0). Files go to $DROVER_BENCH, or drover-bench in the folder for temporary files.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tokenizer=${1:?"the first argument is a tokenizer.json of Llama 3; see test/bench/README.md"}
pairs=${2:-5}
kind=${3:-Q4_0}
cpu=${4:-0}
work=${DROVER_BENCH:-${TMPDIR:-/tmp}/drover-bench}
mkdir -p "$work"
tokenizer=$(realpath "$tokenizer")
cd "$here/../.."

cp "$here/llamacpp/package.json" "$here/llamacpp/server.mjs" "$work"
[ -d "$work/node_modules/node-llama-cpp" ] || (cd "$work" && npm install --ignore-scripts --no-audit --no-fund)
model=$work/1b-$kind.gguf
if [ ! -f "$model" ]; then
	go run ./test/vectors/synthetic -shape 1b -type "$kind" -embedding-type Q8_0 -tokenizer "$tokenizer" -out "$model.part"
	mv "$model.part" "$model"
fi
go build -o "$work/turn" ./test/bench/turn
cd "$work"
exec taskset -c "$cpu" ./turn -model "$model" -server server.mjs -pairs "$pairs"
