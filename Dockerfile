# One image for every service. The command selects the service: serve, worker, beat or setup.
FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# pip stays outside, because the platform installs nothing.
RUN python -m venv --without-pip /venv
COPY requirements/base.txt requirements/tracing.txt deploy/slim.py ./
# `docker compose build --build-arg TRACING=true` adds the packages for traces.
ARG TRACING=
RUN install() { pip --python /venv/bin/python install --no-deps --no-compile --require-hashes --requirement "$1"; } \
    && install base.txt && { [ -z "$TRACING" ] || install tracing.txt; } \
    && python slim.py "$(/venv/bin/python -c 'import site; print(site.getsitepackages()[0])')"
COPY . .
# The settings need a data folder even for collectstatic.
RUN AIRSENSE_HOME=/tmp/airsense STATIC_ROOT=/app/staticfiles /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q /venv/lib /app

FROM python:3.13-slim-trixie
# Numeric ids, because Kubernetes (runAsNonRoot) cannot check a user name.
RUN groupadd --gid 10001 airsense \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin airsense \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /secrets
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH AIRSENSE_HOME=/data STATIC_ROOT=/app/staticfiles PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LOG_FORMAT=json
USER 10001:10001
# On AWS a volume is writable for this user only where the image declares one.
VOLUME ["/data", "/tmp"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve", "--host", "0.0.0.0"]
