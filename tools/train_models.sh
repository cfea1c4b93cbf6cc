#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trains a model for each kind of strokes and each preset and writes their cards (about an hour on one core); MODELS names another folder than
# models/. Models that are there already are left alone. models/README.md says which of them are
# shipped.
#   tools/train_models.sh SNARES FRANKENSNARE BODY CAJON
# SNARES: the 504 single hits of models/README.md; FRANKENSNARE: Samples of sfzinstruments/karoryfer.frankensnare, for the brushes on
# drums 20 and 22; BODY: Samples/body of sfzinstruments/body_percussion; CAJON: Samples/cajon/dyn of
# sfzinstruments/karoryfer.gogodze-phu-vol-i.
set -euo pipefail
snares=${1:?folder of snare hits} frankensnare=${2:?folder of Frankensnare} body=${3:?folder of body percussion} cajon=${4:?folder of cajon hits}
torchdrum=${TORCHDRUM:-torchdrum} models=${MODELS:-models}
snare_source="Frankensnare by karoryfer (GitHub: sfzinstruments/karoryfer.frankensnare), CC0 1.0"
hand_source="body_percussion and karoryfer.gogodze-phu-vol-i (GitHub: sfzinstruments), CC0 1.0"
export OMP_NUM_THREADS=1
mkdir -p "$models/cards"

train() { # name of the kind, source, options, recordings…; for $presets, or all
    local kind=$1 source=$2 options=$3 preset name
    shift 3
    for preset in ${presets:-snare_1 snare_2 snare_3 open_snare noisy_snare}; do
        name=${kind:+${kind}_}$preset
        [ -e "$models/$name.safetensors" ] && continue
        echo "== $name"
        # shellcheck disable=SC2086
        "$torchdrum" train "$@" --single --preset $preset $options -o "$models/$name.safetensors" --card "$models/cards/$name.md" \
            --author torchdrum --license CC0-1.0 --source "$source"
        rm -f "$models/$name.training"
    done
}

# Strangers play these at any level. The more strokes, the fewer passes.
train "" "$snare_source" "--levels 0.5 --epochs 50" "$snares"/*.flac
train stick "$snare_source" "--levels 0.5 --epochs 100" "$snares"/*_sn_*.flac
train rim "$snare_source" "--levels 0.5 --epochs 100" "$snares"/*_ss_*.flac "$snares"/*_sr_*.flac
# The first 5 ms of these tell little of how loud they become. 25 different strokes of brushes are too few for one test split.
brushes=("$snares"/*_sb_*.flac "$frankensnare"/{20,22}_brush/top/sn_*.flac)
presets="snare_1 snare_2 snare_3 open_snare" train brush "$snare_source" "--levels 0.5 --dynamics 4 --epochs 60 --folds 5" "${brushes[@]}"
presets=noisy_snare train brush "$snare_source" "--levels 0.5 --model large --dynamics 5 --epochs 60 --folds 5" "${brushes[@]}"
train hands "$hand_source" "--levels 0.5 --dynamics 4 --epochs 40" \
    "$body"/{handclap,fingerclap,snap,pinkysnap,cheek,chestside,bellyside,shoulderout}*.wav "$cajon"/cajon_s[lr][1-5]_*.wav
