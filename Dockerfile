# A Starfish node. Its page is on port 4500, its identity and what it keeps of the swarm's files in the volume /data:
#
#     docker build -t starfish .
#     docker run --name starfish -p 4500:4500 -v starfish:/data starfish
#     docker exec -it starfish starfish sh
#
# The invite that it prints names http://localhost:4500/, right for browsers on the same machine. For others say how they
# reach it: docker run … starfish up --host 0.0.0.0 --port 4500 --url https://swarm.example.org/

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The image brings its own Node: the one from npm is for machines with an old one. TypeScript is a mere peer of a library.
RUN npm run build && npm run build:lib \
 && npm prune --omit=dev --no-audit --no-fund \
 && rm -rf node_modules/node-linux-* node_modules/.bin \
    node_modules/typescript node_modules/@typescript \
 && mkdir data

FROM node:24-bookworm-slim
ENV NODE_ENV=production STARFISH_DATA=/data
WORKDIR /app
COPY --from=build /build/package.json /build/LICENSE ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/dist dist
COPY --from=build --chown=node:node /build/data /data
RUN ln -s /app/bin/starfish.mjs /usr/local/bin/starfish
USER node
VOLUME /data
EXPOSE 4500
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4500/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["starfish"]
CMD ["up", "--host", "0.0.0.0", "--port", "4500", "--url", "http://localhost:4500/"]
