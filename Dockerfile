# One file, two images: `cluster`, which every service runs, and `cluster-torch`, the same with PyTorch.
#   docker build --target cluster --tag srl-cluster .
ARG PYTHON_IMAGE=python:3.11-slim

# What is installed is made here, with pip; the images get the finished folder, without pip's traces.
FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/srl
# The dependencies have a layer of their own: a change of the code does not install them again.
COPY pyproject.toml ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['gymnasium'], sep='\n')" > requirements.txt \
 && pip --python /opt/srl/bin/python install --no-cache-dir --requirement requirements.txt \
 && find /opt/srl -type d -name tests -path '*/numpy/*' -prune -exec rm -r {} +
COPY README.md LICENSE ./
COPY srl_common srl_common
COPY srl srl
COPY services services
RUN pip --python /opt/srl/bin/python install --no-cache-dir --no-deps .

# What both images are but for the installed packages.
FROM ${PYTHON_IMAGE} AS base
# Owner and mode of these folders become those of the volumes that are mounted there first.
RUN groupadd --gid 10001 srl && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin srl \
 && for folder in keys keys/memory keys/learner keys/actor keys/client keys/redis data data/redis jobs var/lib/srl; do \
      install --directory --owner=10001 --group=10001 --mode=0700 "/${folder}"; done \
 && chmod 0755 /data /jobs /keys
COPY ops/compose/healthcheck.py /usr/local/bin/healthcheck
ENV PATH=/opt/srl/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    SRL_METRICS_BIND=0.0.0.0:9100
LABEL org.opencontainers.image.title="srl-cluster" \
      org.opencontainers.image.description="Distributed reinforcement learning: actor, memory service, learner and command line" \
      org.opencontainers.image.licenses="MIT"
USER 10001:10001
WORKDIR /tmp
EXPOSE 5600 5601 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=3s --start-period=30s --retries=5 CMD ["python", "-I", "-S", "/usr/local/bin/healthcheck"]
# `docker run IMAGE services.actor`: the service is process 1 and gets the signals itself.
ENTRYPOINT ["python", "-m"]
CMD ["srl"]

FROM base AS cluster
COPY --from=build /opt/srl /opt/srl

# Stands last: the classic builder makes all that stands before what it is asked for.
FROM build AS build-torch
# Where PyTorch comes from: empty is pip's own index, whose packages for Linux carry CUDA (6 GB).
# PyTorch's page "Get started" names the index of the small ones without.
ARG TORCH_INDEX_URL=
ARG TORCH_VERSION=2.13.0
RUN PIP_INDEX_URL=${TORCH_INDEX_URL} pip --python /opt/srl/bin/python install --no-cache-dir "torch==${TORCH_VERSION}"

FROM base AS cluster-torch
COPY --from=build-torch /opt/srl /opt/srl
