# syntax=docker/dockerfile:1
# docs/deploying.md says how to run it. Nothing secret is in the image: settings come
# from the environment when it runs.

FROM python:3.11-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
WORKDIR /source
COPY requirements.txt ./
RUN /venv/bin/pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY offers offers
COPY webhooks webhooks
COPY outletbot outletbot
RUN /venv/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 outletbot \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin outletbot \
 && install --directory --owner=outletbot --group=outletbot --mode=0700 /var/lib/outletbot
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    LOG_FORMAT=json \
    DATABASE_URL=sqlite:////var/lib/outletbot/outletbot.db
USER 10001:10001
WORKDIR /var/lib/outletbot
VOLUME /var/lib/outletbot
EXPOSE 8080
STOPSIGNAL SIGTERM
# A worker listens nowhere: run it with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["outletbot"]
CMD ["serve"]
