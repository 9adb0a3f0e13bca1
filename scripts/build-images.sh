#!/bin/sh
# Build the image of connector $1 (segment, customerio, heap, destination-segment), or all of them, with the `docker` on PATH.
# Names, versions and labels come from metadata.yaml. BASE_IMAGE in the environment replaces the Dockerfile's base, and
# SOURCE_URL becomes the label org.opencontainers.image.source.
set -eu

field() { # the value of field $2 of connector $1 in metadata.yaml
    awk -v entry="  $1:" -v field="    $2: " \
        '/^  [a-z]/ { inside = $0 == entry } inside && index($0, field) == 1 { print substr($0, length(field) + 1); exit }' \
        metadata.yaml
}

revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
built=none
for name in $(sed -nE 's/^  ((source|destination)-[a-z]+):$/\1/p' metadata.yaml); do
    case $1 in all | "$name" | "${name#source-}") ;; *) continue ;; esac
    repository=$(field "$name" dockerRepository)
    version=$(field "$name" dockerImageTag)
    docker build ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} --target "$name" --tag "$repository:$version" \
        --label "io.airbyte.name=$repository" \
        --label "io.airbyte.version=$version" \
        --label "org.opencontainers.image.title=$name" \
        --label "org.opencontainers.image.description=Airbyte $(field "$name" connectorType) for $(field "$name" name)" \
        --label "org.opencontainers.image.version=$version" \
        --label "org.opencontainers.image.revision=$revision" \
        --label "org.opencontainers.image.licenses=$(field "$name" license)" \
        ${SOURCE_URL:+--label "org.opencontainers.image.source=$SOURCE_URL"} .
    built=$repository:$version
done
if [ "$built" = none ]; then
    echo "There is no connector '$1'. Choose one of: segment, customerio, heap, destination-segment, all." >&2
    exit 1
fi
