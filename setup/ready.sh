# shellcheck shell=bash
# Sourced with PARTITA_ROOT set: is everything there that a run needs? Answered in milliseconds.

# What set-up depends on: its own scripts, the pins, the manifest of the open model.
setup_inputs() (
    cd "$PARTITA_ROOT" || exit
    cat setup/prepare setup/*.py setup/*-requirements.txt Models/spleeter-2stems/model.json |
        sha256sum | cut -d' ' -f1
)

ready() {
    local deps=$PARTITA_ROOT/.deps stamp
    [[ -x $PARTITA_ROOT/.build/release/partita && -e $deps/built && -e $deps/ready &&
        -e $deps/openvino/pin ]] || return 1
    [[ -e $deps/models/spleeter-2stems/model.json || -e $deps/without-spleeter ]] || return 1
    read -r stamp <"$deps/ready"
    [[ $stamp == "$(setup_inputs)" ]] || return 1
    # .deps/built is as old as the beginning of the last build that succeeded.
    [[ -z $(cd "$PARTITA_ROOT" &&
        find Sources Package.swift -newer .deps/built -print -quit) ]] || return 1
    # The open model could not be had: try again, but no more than once an hour.
    [[ ! -e $deps/without-spleeter ||
        -n $(find "$deps/without-spleeter" -mmin -60) ]]
}
