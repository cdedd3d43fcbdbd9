#!/usr/bin/env bash
# Makes the shipped weights on a machine with a CUDA GPU: train_shipped.sh POOL OUT
# light/ gets the encoder and the refiner, baseline-curves/ the baseline refiner on that encoder, after and before its repair.
set -euo pipefail
pool=$1 out=$2 configs=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$out"

boxrefine() {
    ${PYTHON:-python} -c "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))" "$@"
}

boxrefine pretrain --data "$pool" --out "$out/first" --config "$configs/pretrain.yaml" --device cuda
boxrefine pretrain --data "$pool" --out "$out/second" --config "$configs/continue.yaml" --start-from "$out/first" --device cuda
boxrefine pretrain --data "$pool" --out "$out/light" --config "$configs/calibrate.yaml" --start-from "$out/second"
for name in baseline baseline_before; do
    sed "s/^report_every:.*/report_every: 1/" "$configs/$name.yaml" >"$out/$name.yaml"
    boxrefine pretrain --data "$pool" --out "$out/$name" --config "$out/$name.yaml" --start-from "$out/light" --device cuda
done
