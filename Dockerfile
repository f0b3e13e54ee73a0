# The main job on a CPU:
#   docker build --tag diffaug_pipeline .        (a PyTorch without CUDA: --build-arg PIP_ARGS="--extra-index-url …")
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD/data:/project/data" diffaug_pipeline
FROM python:3.11.14-slim-bookworm

# What OpenCV loads; Debian's versions are those of the base image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /project
ARG PIP_ARGS=""
COPY requirements.txt ./
# Split into words, as pip takes them.
# hadolint ignore=SC2086
RUN python -m pip install --no-cache-dir --disable-pip-version-check $PIP_ARGS -r requirements.txt

COPY pyproject.toml README.md LICENSE .telemetry ./
COPY src src
COPY conf conf
# Whoever runs it (--user) may write to the volumes, the home and what kedro-viz keeps, and nowhere else.
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && useradd --uid 1000 --create-home diffaug \
    && install --directory --mode 1777 data conf/local .viz /home/diffaug

# A tokenizer is no token.
# hadolint ignore=DL3064
ENV DO_NOT_TRACK=1 TOKENIZERS_PARALLELISM=false YOLO_OFFLINE=1 HOME=/home/diffaug USER=diffaug
USER 1000
VOLUME ["/project/data", "/project/conf/local"]
CMD ["kedro", "run"]
