#!/usr/bin/env bash
# Makes the shipped weights on a machine with a CUDA GPU: train_shipped.sh POOL CUTOUTS OUT
# light_1/ gets the encoder and the refiner that shipped first, light/ and candidates/ what ships now, baseline_light/ the
# baseline refiner that ships beside it, baseline/ and baseline_before/ that on the encoder light_1, after and before its
# repair.
# light_1 was trained on an earlier pool (its model card lists it).
set -euo pipefail
pool=$1 cutouts=$2 out=$3 configs=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$out"

pretrain() { # OUT CONFIG OPTION...
    local name=$1 config=$2
    shift 2
    ${PYTHON:-python} -c "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))" \
        pretrain --data "$pool" --out "$out/$name" --config "$config" "$@"
}

pretrain first "$configs/pretrain.yaml" --device cuda
pretrain second "$configs/continue.yaml" --start-from "$out/first" --device cuda
pretrain light_1 "$configs/calibrate.yaml" --start-from "$out/second"

pretrain touching "$configs/touching.yaml" --cutouts "$cutouts" --start-from "$out/light_1" --device cuda
pretrain boards "$configs/boards.yaml" --cutouts "$cutouts" --start-from "$out/light_1" --blend-with "$out/touching" --device cuda
pretrain blend "$configs/blend.yaml" --start-from "$out/light_1" --blend-with "$out/boards"
pretrain drawings "$configs/drawings.yaml" --cutouts "$cutouts" --start-from "$out/blend" --device cuda
pretrain light "$configs/blend_drawings.yaml" --start-from "$out/blend" --blend-with "$out/drawings"
sed "s/^seed: .*/&\nblend: 0.6/" "$configs/candidates.yaml" >"$out/candidates.yaml"
pretrain first_candidates "$out/candidates.yaml" --cutouts "$cutouts" --start-from "$out/light_1" --blend-with "$out/touching" --device cuda
cp "$out/blend/encoder.safetensors" "$out/first_candidates/" # which they go on from
pretrain candidates "$configs/candidates_again.yaml" --cutouts "$cutouts" --start-from "$out/first_candidates" --device cuda

${PYTHON:-python} -c "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))" \
    pretrain-suggest --data "$pool" --out "$out/suggest" --config "$configs/suggest.yaml" --encoder-from "$out/light"

for name in baseline baseline_before; do
    sed "s/^report_every:.*/report_every: 1/" "$configs/$name.yaml" >"$out/$name.yaml"
    pretrain "$name" "$out/$name.yaml" --start-from "$out/light_1" --device cuda
done
pretrain baseline_light "$configs/baseline.yaml" --start-from "$out/light" --device cuda
