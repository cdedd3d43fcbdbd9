#!/usr/bin/env bash
# Makes the shipped weights on a machine with two CUDA GPUs: train_shipped.sh POOL OUT
# The encoder is trained with both backbones side by side; on that of the higher IoU at hq0.4 on held-out pictures,
# the seed's refiner is then trained as its repair left it and as it was before.
set -euo pipefail
pool=$1 out=$2 configs=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$out"

pretrain() { # GPU NAME CONFIG [OPTION...]
    local gpu=$1 name=$2 config=$3
    shift 3
    CUDA_VISIBLE_DEVICES=$gpu ${PYTHON:-python} -c "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))" \
        pretrain --data "$pool" --out "$out/$name" --config "$config" --device cuda "$@" >"$out/$name.txt" 2>&1
}

pretrain 0 lite0 "$configs/pretrain.yaml" & first=$!
pretrain 1 lite2 "$configs/pretrain_lite2.yaml" & second=$!
wait $first
wait $second
touch "$out/main.done"

best=$(${PYTHON:-python} - "$out" <<'END'
import json, pathlib, sys
cards = {name: json.loads((pathlib.Path(sys.argv[1]) / name / "refiner.json").read_text()) for name in ("lite0", "lite2")}
print(max(cards, key=lambda name: cards[name]["made_by"]["held_out"]["hq0.4 after"]))
END
)
for name in seed seed_before; do
    sed "s/^report_every:.*/report_every: 1/" "$configs/$name.yaml" >"$out/$name.yaml"
    sed -i "/^backbone:/d" "$out/$name.yaml"
    echo "backbone: $best" >>"$out/$name.yaml"
done
pretrain 0 seed "$out/seed.yaml" --start-from "$out/$best" & first=$!
pretrain 1 seed_before "$out/seed_before.yaml" --start-from "$out/$best" & second=$!
wait $first
wait $second
touch "$out/seed.done"
