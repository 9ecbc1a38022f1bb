# shellcheck shell=bash
# Sourced with PARTITA_ROOT set: is everything there that a run needs? Answered in milliseconds.

# The open models by the names that setup/fetch.py knows.
open_models="spleeter deepfilternet swift-f0"

# What set-up depends on: its own scripts, the pins, the manifests of the open models.
setup_inputs() (
    cd "$PARTITA_ROOT" || exit
    cat setup/prepare setup/*.py setup/*-requirements.txt Models/{spleeter-2stems,deepfilternet3,swift-f0}/model.json |
        sha256sum | cut -d' ' -f1
)

ready() {
    local deps=$PARTITA_ROOT/.deps stamp model
    [[ -x $PARTITA_ROOT/.build/release/partita && -e $deps/built && -e $deps/ready &&
        -e $deps/openvino/pin ]] || return 1
    for model in $open_models; do
        [[ -n $(compgen -G "$deps/models/$model*/model.json") || -e $deps/without-$model ]] || return 1
    done
    read -r stamp <"$deps/ready"
    [[ $stamp == "$(setup_inputs)" ]] || return 1
    # .deps/built is as old as the beginning of the last build that succeeded.
    [[ -z $(cd "$PARTITA_ROOT" &&
        find Sources Package.swift -newer .deps/built -print -quit) ]] || return 1
    # An open model could not be had: try again, but no more than once an hour.
    [[ -z $(find "$deps" -maxdepth 1 -name 'without-*' -mmin +60 -print -quit) ]]
}
