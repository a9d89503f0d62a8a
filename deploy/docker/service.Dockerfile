# One image for each service, and one for the set-up: `--build-arg SERVICE=` takes the name of a folder below services/ or
# of deploy/set-up. Built from the root of the repository, by BuildKit or by the engine's older builder.
#
#   NODE_IMAGE            another place for the base image, or one that also has a company's certificate authority
#   NPM_CONFIG_REGISTRY   another npm registry
#   HTTPS_PROXY, NO_PROXY … are known to every builder and stay out of the image
ARG NODE_IMAGE=node:24-bookworm-slim

# What an install depends on, without the sources: their changes leave all that is downloaded where it is.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /sextant
COPY . .
RUN find . -type f ! -name package.json ! -name 'pnpm-*.yaml' ! -name .npmrc -delete \
 && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
ARG NPM_CONFIG_REGISTRY
ARG PNPM=pnpm@12.21.0
WORKDIR /sextant
COPY --from=manifests /sextant ./
# pnpm reads the file, but not npm's variable.
RUN if [ -n "${NPM_CONFIG_REGISTRY}" ]; then npm config set registry "${NPM_CONFIG_REGISTRY}"; fi
# For all services at once, so that the next image finds this layer. Optional is only the workspace's own Node. Few
# downloads at a time: Docker's network loses some of many DNS queries at once, and each costs seconds.
RUN npx --yes ${PNPM} install --prod --no-optional --frozen-lockfile --store-dir /store --network-concurrency 8 \
      --filter '{./services/*}...' --filter '{./deploy/*}...' \
 && rm -rf node_modules ./*/*/node_modules
ARG SERVICE
RUN npx --yes ${PNPM} install --prod --no-optional --frozen-lockfile --store-dir /store --offline \
      --filter "@sextant/${SERVICE}..." \
 && npx --yes ${PNPM} ls --recursive --depth -1 --parseable --filter "@sextant/${SERVICE}..." >/folders \
 && find . -path '*/node_modules/*' -type f \
      \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && mkdir -p /out/dependencies /out/sources \
 && find . -name node_modules -prune -exec cp -a --parents '{}' /out/dependencies ';' -exec rm -rf '{}' ';'
COPY . .
# Node strips types outside node_modules only: the workspace's packages stay where they are in the repository.
RUN for folder in $(cat /folders); do cp -a --parents ".${folder#/sextant}" /out/sources; done \
 && cp deploy/docker/health.mjs /out/sources \
 && if [ "${SERVICE}" = api-gateway ]; then cp -a schema /out/sources; fi \
 && ln -s "$(cd /out/sources && ls -d "services/${SERVICE}" "deploy/${SERVICE}" 2>/dev/null)/src/main.ts" /out/sources/main.ts

FROM ${NODE_IMAGE}
WORKDIR /sextant
COPY --from=build /out/dependencies ./
COPY --from=build /out/sources ./
ARG SERVICE
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/sextant/compiled \
    SEXTANT_KEYS_DIR=/keys/${SERVICE} \
    SEXTANT_LISTEN=0.0.0.0:8080 \
    SEXTANT_OPS_LISTEN=0.0.0.0:9090
# A volume that is mounted here for the first time takes over the owner.
RUN mkdir -p /data /secrets /keys/registry /keys/director /keys/connector /keys/runtime-provisioner /keys/api-gateway \
 && chmod 0700 /data /keys/* && chown -R node:node /data /secrets /keys
# Loads the whole program and ends for want of settings. Every later start finds it compiled: it takes half the time and
# 25 MB less. Node keeps this apart by user.
RUN install -d -o node -g node compiled \
 && su node -c 'node main.ts' 2>&1 | grep 'is required' \
 && chown -R root:root compiled && chmod -R go=rX compiled
USER node
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["node", "/sextant/health.mjs"]
ENTRYPOINT ["node", "/sextant/main.ts"]
