#!/bin/bash
# Makes llm/tiny/model.gguf from nothing, or goes on with the last run: recipe.sh [continue]. HOURS: length of the training (3). See README.md.
set -e
cd "$(dirname "$0")"
HOURS="${HOURS:-3}"
minutes=$(awk "BEGIN { print $HOURS * 60 }")
decay=$(awk "BEGIN { print $HOURS * 60 * .3 }")
mkdir -p runs
[ -f vocabulary.txt ] || ./run.sh vocabulary.py
[ -f runs/meaning.pt ] || ./run.sh meaning.py
if [ "$1" = continue ] && [ ! -e runs/main ]; then # only the model file is left
    ./run.sh restore.py ../model.gguf runs/start.pt
    ./run.sh train.py --run runs/main --from runs/start.pt --minutes "$minutes" --decay "$decay"
elif [ "$1" = continue ] && [ -f runs/main/stable.pt ]; then
    n=1
    while [ -d "runs/main-$n" ]; do n=$((n + 1)); done
    mv runs/main "runs/main-$n"
    ./run.sh train.py --run runs/main --from "runs/main-$n/stable.pt" --minutes "$minutes" --decay "$decay"
else
    ./run.sh train.py --run runs/main --minutes "$minutes" --decay "$decay"
fi
./run.sh evaluate.py runs/main/average.pt --cases 1000 --quantized
./run.sh prune.py runs/main/average.pt runs/pruned.pt runs/pruned.txt
./run.sh export.py runs/pruned.pt ../model.gguf --vocabulary runs/pruned.txt --threshold "${THRESHOLD:-.6}" --copy-bias "${COPY_BIAS:-4}"
./run.sh heldout.py
