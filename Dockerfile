FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/omroeper
ENV PATH=/opt/omroeper/bin:$PATH
WORKDIR /app
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY assets assets
COPY channels channels
COPY dispatcher dispatcher
COPY templates templates
RUN pip install --no-deps --no-build-isolation --no-index --editable . \
    && python assets/build.py \
    && python -m dispatcher.locale.catalogues \
    && rm -rf assets/node_modules assets/.node

FROM python:3.11-slim
# The application's folders belong to root: it can read itself, and change nothing of itself.
RUN install -d -m 0755 -o 10001 -g 10001 /site
COPY --from=build /opt/omroeper /opt/omroeper
COPY --from=build /app /app
ENV PATH=/opt/omroeper/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=dispatcher.config.settings
WORKDIR /app
USER 10001:10001
EXPOSE 8700
