# One wheel, four images: docker build --target source-segment|source-customerio|source-heap|destination-segment .
# `make images` also labels and tags them from metadata.yaml. The base needs Python 3.10 to 3.13 with venv; builder and
# image share it.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

FROM ${BASE_IMAGE} AS builder
USER root
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_QUIET=1
RUN python3 -m venv pip && python3 -m venv --without-pip /opt/connector
COPY scripts/image .

FROM builder AS wheel
COPY requirements/build.txt .
RUN pip/bin/pip install --require-hashes --requirement build.txt
# With a Rust compiler the wheel has Heap's encoder; without apt or network access, it is pure Python and slower.
RUN ! command -v apt-get >/dev/null || { apt-get -qq update && apt-get -qq install -y --no-install-recommends rustc; } \
 || echo "rustc cannot be installed"
COPY . .
RUN pip/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .

# ---- dependencies, shared by images that need the same ones -----------------------------------------------------------
FROM builder AS http-dependencies
COPY requirements/http.txt .
RUN pip/bin/pip --python /opt/connector/bin/python install --require-hashes --requirement http.txt \
 && sh slim-dependencies.sh

FROM builder AS heap-dependencies
COPY requirements/heap.txt .
RUN pip/bin/pip --python /opt/connector/bin/python install --require-hashes --requirement heap.txt \
 && sh slim-dependencies.sh

FROM builder AS destination-dependencies
COPY requirements/destination.txt .
RUN pip/bin/pip --python /opt/connector/bin/python install --require-hashes --requirement destination.txt \
 && sh slim-dependencies.sh

# ---- files that each connector adds -----------------------------------------------------------------------------------
FROM http-dependencies AS source-segment-files
COPY --from=wheel /build/dist dist
RUN sh collect-connector.sh source-segment

FROM http-dependencies AS source-customerio-files
COPY --from=wheel /build/dist dist
RUN sh collect-connector.sh source-customerio

FROM heap-dependencies AS source-heap-files
COPY --from=wheel /build/dist dist
RUN sh collect-connector.sh source-heap

FROM destination-dependencies AS destination-segment-files
COPY --from=wheel /build/dist dist
RUN sh collect-connector.sh destination-segment

# ---- images -----------------------------------------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS runtime
USER root
RUN id airbyte >/dev/null 2>&1 || useradd --uid 1000 --create-home airbyte \
 && mkdir -p /airbyte/integration_code \
 && chown -R 1000:1000 /airbyte
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /airbyte/integration_code

FROM runtime AS source-segment
COPY --from=http-dependencies /opt/connector /opt/connector
COPY --from=source-segment-files /own /opt/connector
USER 1000
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-segment
ENTRYPOINT ["/opt/connector/bin/source-segment"]

FROM runtime AS source-customerio
COPY --from=http-dependencies /opt/connector /opt/connector
COPY --from=source-customerio-files /own /opt/connector
USER 1000
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-customerio
ENTRYPOINT ["/opt/connector/bin/source-customerio"]

FROM runtime AS source-heap
COPY --from=heap-dependencies /opt/connector /opt/connector
COPY --from=source-heap-files /own /opt/connector
USER 1000
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-heap
ENTRYPOINT ["/opt/connector/bin/source-heap"]

FROM runtime AS destination-segment
COPY --from=destination-dependencies /opt/connector /opt/connector
COPY --from=destination-segment-files /own /opt/connector
USER 1000
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/destination-segment
ENTRYPOINT ["/opt/connector/bin/destination-segment"]
