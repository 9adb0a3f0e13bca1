#!/bin/sh
# Build the image of connector $1 (segment, customerio, heap, destination-segment), or of all, with the `docker` on PATH.
# BASE_IMAGE in the environment replaces the Dockerfile's base.
set -eu
built=none
for name in $(sed -nE 's/^FROM .* AS ((source|destination)-[a-z]+)$/\1/p' Dockerfile); do
    case $1 in all | "$name" | "${name#source-}") ;; *) continue ;; esac
    image=$(sed -nE "s|^LABEL io.airbyte.name=(.*/$name) io.airbyte.version=(.*)$|\1:\2|p" Dockerfile)
    docker build ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} --target "$name" --tag "$image" .
    built=$image
done
if [ "$built" = none ]; then
    echo "There is no connector '$1'. Choose one of: segment, customerio, heap, destination-segment, all." >&2
    exit 1
fi
