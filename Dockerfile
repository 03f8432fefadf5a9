# One image for every service. The command selects the service: serve, worker, beat or setup.
FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements/base.txt requirements/
RUN /venv/bin/pip install --no-deps --require-hashes --requirement requirements/base.txt
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
ENV PATH=/venv/bin:$PATH AIRSENSE_HOME=/data STATIC_ROOT=/app/staticfiles PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve", "--host", "0.0.0.0"]
