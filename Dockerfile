# The lab on the processor alone:  docker build -t googlenet-lab .  and  docker run --rm -p 127.0.0.1:7860:7860 googlenet-lab
# Options of app.py follow in GOOGLENET_OPTIONS:  docker run -e GOOGLENET_OPTIONS="--read-only --data shapes" …
# Without Docker its steps are tried by  python -m tools.dockerfile  (tests/tools/test_dockerfile.py).
FROM python:3.11-slim

# The ordinary torch brings CUDA: 5.8 GB installed.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

RUN useradd --create-home --uid 1000 lab
WORKDIR /home/lab/app

COPY requirements.txt ./
RUN pip install --no-cache-dir "torch>=2.10" "torchvision>=0.25" --index-url ${TORCH_INDEX}
RUN pip install --no-cache-dir -r requirements.txt

# Owned by root: the app can change none of it. Runs go into checkpoints/, which is the user's own.
COPY app.py ./
COPY googlenet ./googlenet
COPY --chown=lab checkpoints ./checkpoints

USER lab
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=9).close()"]
CMD ["python", "app.py"]
