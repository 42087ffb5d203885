# The service as a container: built in one stage, run from a second one without build tools.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
# For pip, for example: --extra-index-url <your CPU wheel index>. The default index brings CUDA.
ARG WHEEL_ARGS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/nmrshift
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY nmrshift ./nmrshift
COPY service ./service
COPY models ./models
# Headers and tests of libraries serve nobody here.
RUN /opt/nmrshift/bin/pip install ${WHEEL_ARGS} . \
 && cd /opt/nmrshift/lib/python3*/site-packages \
 && rm -rf torch/include torch/test torch/bin/*test* torch/share/cmake

FROM ${BASE}
# DGL's kernels need libgomp1, which not every build of torch brings under this name; RDKit's drawing
# needs the others.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 libxrender1 libxext6 libexpat1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/nmrshift /opt/nmrshift
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent nmrshift \
 && install -d -o 10001 -m 0700 /data
ENV PATH=/opt/nmrshift/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    NMRSHIFT_DATA_DIR=/data \
    NMRSHIFT_PORT=8000
# The only place that is written to: jobs.
VOLUME /data
USER 10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['NMRSHIFT_PORT'] + '/health/ready', timeout=4)"]
CMD ["nmrshift", "serve", "--host", "0.0.0.0"]
