# One image for all roles: `docker run … broker`, `processor`, `dashboard`, `up` or `sim`.

ARG NODE_IMAGE=node:22.23.2-bookworm-slim@sha256:48e4b67d85f87bd551df43704e24d252f56cc5f8e9718841aace50f19948f0f9

FROM ${NODE_IMAGE} AS base
WORKDIR /app
COPY package.json package-lock.json ./

# Compile with all dependencies …
FROM base AS build
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs && node scripts/sbom.mjs

# … and run with production dependencies only. None needs an install script: native parts come as packages for each platform.
FROM base AS packages
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Pollcast" org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
# Without Redis, everything is stored here, so mount a volume; with Redis, only the keys of open secret rounds.
RUN install --directory --owner=node --group=node --mode=0700 data
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/build build
USER node
EXPOSE 1883 8883 8080
STOPSIGNAL SIGTERM
# Uses Node.js because the slim image has neither curl nor wget.
# The port for monitoring has no TLS, and the certificate need not name the loopback address.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "--no-warnings", "-e", \
  "const { env } = process; env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; const tls = env.POLLCAST_TLS_CERT && !env.POLLCAST_OPS_PORT; fetch(`http${tls ? 's' : ''}://127.0.0.1:${env.POLLCAST_OPS_PORT || env.POLLCAST_HTTP_PORT || 8080}/health`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
ENTRYPOINT ["node", "build/cli/pollcast.js"]
CMD ["up"]
