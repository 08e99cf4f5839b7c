# Built in one image, run in another, which has the programs and the libraries they need, no
# compiler, and a user of their own.
FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev libcjson-dev libcyaml-dev libevent-dev libevhtp-dev libncurses-dev \
        libsqlite3-dev libssl-dev libyaml-dev libzstd-dev meson ninja-build pkgconf python3 uthash-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN meson setup build --prefix=/usr --buildtype=release \
        -Dtests=disabled -Dbench=disabled -Dsystemd=disabled \
    && meson compile -C build \
    && DESTDIR=/out meson install -C build --no-rebuild --strip

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        ca-certificates libcjson1 libcyaml1 libevent-2.1-7 libevent-openssl-2.1-7 libevhtp0 libncursesw6 \
        libsqlite3-0 libssl3 libyaml-0-2 libzstd1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/drover --create-home drover \
    && install -d /etc/drover
COPY --from=build /out/usr/bin/drover /out/usr/bin/drover-node /out/usr/bin/drover-bench /usr/bin/

USER drover
WORKDIR /var/lib/drover
# A configuration is mounted at /etc/drover/drover.yaml, or told by variables such as
# DROVER_BACKENDS. The admin API stays within the container: `docker exec NAME drover top`.
ENV DROVER_LISTEN=:8080 STATE_DIRECTORY=/var/lib/drover
VOLUME /var/lib/drover
EXPOSE 8080
# Another port, or TLS, needs another check.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 '"]
# SIGTERM drains: stop it with more patience than `drain`, as in docker stop --time 45.
ENTRYPOINT ["drover"]
