# One wheel, four images: docker build --target source-segment|source-customerio|source-heap|destination-segment .
# The base needs Python 3.10 to 3.13 with venv; builder and image use the same one.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

FROM ${BASE_IMAGE} AS builder
USER root
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_QUIET=1
RUN python3 -m venv pip && python3 -m venv --without-pip /opt/connector

FROM builder AS wheel
COPY requirements/build.txt .
RUN pip/bin/pip install --require-hashes --requirement build.txt
COPY . .
RUN pip/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .

FROM builder AS http-environment
COPY requirements/http.txt .
RUN pip/bin/pip --python /opt/connector/bin/python install --require-hashes --requirement http.txt
COPY --from=wheel /build/dist dist
RUN pip/bin/pip --python /opt/connector/bin/python install --no-deps dist/*.whl

FROM builder AS heap-environment
COPY requirements/heap.txt .
RUN pip/bin/pip --python /opt/connector/bin/python install --require-hashes --requirement heap.txt
COPY --from=wheel /build/dist dist
RUN pip/bin/pip --python /opt/connector/bin/python install --no-deps dist/*.whl

FROM ${BASE_IMAGE} AS runtime
USER root
RUN id airbyte >/dev/null 2>&1 || useradd --uid 1000 --create-home airbyte \
 && mkdir -p /airbyte/integration_code \
 && chown -R 1000:1000 /airbyte
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /airbyte/integration_code

FROM runtime AS http-runtime
COPY --from=http-environment /opt/connector /opt/connector
USER 1000

FROM runtime AS heap-runtime
COPY --from=heap-environment /opt/connector /opt/connector
USER 1000

FROM http-runtime AS source-segment
LABEL io.airbyte.name=cdp-connectors/source-segment io.airbyte.version=0.1.0
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-segment
ENTRYPOINT ["/opt/connector/bin/source-segment"]

FROM http-runtime AS source-customerio
LABEL io.airbyte.name=cdp-connectors/source-customerio io.airbyte.version=0.1.0
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-customerio
ENTRYPOINT ["/opt/connector/bin/source-customerio"]

FROM heap-runtime AS source-heap
LABEL io.airbyte.name=cdp-connectors/source-heap io.airbyte.version=0.1.0
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/source-heap
ENTRYPOINT ["/opt/connector/bin/source-heap"]

FROM http-runtime AS destination-segment
LABEL io.airbyte.name=cdp-connectors/destination-segment io.airbyte.version=0.2.0
ENV AIRBYTE_ENTRYPOINT=/opt/connector/bin/destination-segment
ENTRYPOINT ["/opt/connector/bin/destination-segment"]
