#!/usr/bin/env bash
# Builds the Dockerfile for real, without a container engine, and asks the image for a prediction.
#
#     tests/container/build.sh [WORK_FOLDER]      as root; wants buildah and debootstrap, and 12 GB
#
# The base is Debian with Python, made by debootstrap (MIRROR, SUITE). buildah runs the steps in a chroot.
# pip inside takes packages from where pip here does: WHEEL_ARGS is handed to it, and VOLUMES (host:container:ro,
# with spaces between) are there while it runs, for example
#
#     WHEEL_ARGS="--find-links /wheels" VOLUMES="$HOME/wheels:/wheels:ro /etc/pip.conf:/etc/pip.conf:ro"
#
# The image is then run as its own user on a read-only root with /tmp and /data to write to, as compose.yml does it.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(realpath -m "${1:-${TMPDIR:-/tmp}/nmrshift-container}")
port=${PORT:-18000}
most_mb=1500
mkdir -p "$work"
export BUILDAH_ISOLATION=chroot
image() { buildah --root "$work/storage" --runroot "$work/run" "$@"; }
say() { printf '\n== %s\n' "$*"; }

server="" root=""
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [ -n "$root" ]; then umount -R "$work/root" 2>/dev/null || true; image rm "$root" >/dev/null || true; fi
}
trap finish EXIT

say "base"
if [ ! -e "$work/base.tar" ]; then
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
    "${SUITE:-bookworm}" "$work/base" "${MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log"
  ln -sf python3 "$work/base/usr/bin/python"
  rm -rf "$work"/base/var/cache/apt/* "$work"/base/var/lib/apt/lists/* \
    "$work"/base/usr/share/{doc,man,locale,info}/*
  tar -C "$work/base" -cf "$work/base.tar.part" . && mv "$work/base.tar.part" "$work/base.tar"
  rm -rf "$work/base"
fi
if ! image inspect --type image nmrshift-base >/dev/null 2>&1; then
  base=$(image from scratch)
  image add -q "$base" "$work/base.tar" / >/dev/null
  image commit -q "$base" nmrshift-base >/dev/null
  image rm "$base" >/dev/null
fi

say "build"
volumes=()
for volume in ${VOLUMES:-}; do volumes+=(--volume "$volume"); done
time image build --pull-never --build-arg BASE=localhost/nmrshift-base --build-arg WHEEL_ARGS="${WHEEL_ARGS:-}" \
  "${volumes[@]}" --tag nmrshift --file Dockerfile .

say "run"
root=$(image from --pull-never localhost/nmrshift)
mkdir -p "$work/root"
mount --bind "$(image mount "$root")" "$work/root"
mount -o remount,bind,ro "$work/root"
mount -t tmpfs tmpfs "$work/root/tmp"
mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$work/root/data"
mount -t proc proc "$work/root/proc"
mount --bind /dev "$work/root/dev"
inside() { # become a command as in the container: its user, its environment, no capabilities
  exec setpriv --reuid 10001 --regid 10001 --clear-groups --bounding-set=-all --no-new-privs \
    env -i OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 NMRSHIFT_DATA_DIR=/data \
    NMRSHIFT_PORT="$port" PATH=/opt/nmrshift/bin:/usr/bin:/bin "$@"
}
chrooted() { # setpriv cannot chroot, and chroot needs what setpriv takes away
  unshare --mount --root "$work/root" --wd /tmp "$@"
}
chrooted /usr/bin/bash -c "port=$port; $(declare -f inside); ! (inside touch /opt/x) 2>/dev/null && ! (inside touch /etc/x) 2>/dev/null"
if chrooted /usr/bin/sh -c 'command -v cc gcc g++ clang make'; then echo "the image has a compiler" >&2; exit 1; fi
chrooted /usr/bin/bash -c "port=$port; $(declare -f inside); inside nmrshift serve --host 127.0.0.1" >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 240); do
  curl -fsS "http://127.0.0.1:$port/health/ready" >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
  sleep 0.5
done
answer=$(curl -fsS "http://127.0.0.1:$port/v1/predict" -H 'content-type: application/json' \
  -d '{"smiles": ["FC(F)(F)c1ccccc1"], "nuclei": ["13C", "19F"]}')
echo "$answer" | grep -q '"nucleus":"19F"'
curl -fsS "http://127.0.0.1:$port/v1/draw" -H 'content-type: application/json' -d '{"smiles": "CCO"}' | grep -q '<svg'
job=$(curl -fsS "http://127.0.0.1:$port/v1/jobs" -H 'content-type: text/csv' --data-binary $'smiles\nCCO\n' |
  sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
curl -fsS "http://127.0.0.1:$port/v1/jobs/$job/events" | grep -q '"status":"done"'

say "size"
bytes=$(du -sb --one-file-system "$(image mount "$root")" | cut -f1)
du -xsm "$work"/root/opt/nmrshift/lib/python3*/site-packages/* 2>/dev/null | sort -rn | head -8
echo "$((bytes / 1000000)) MB, of which the base is $(($(stat -c %s "$work/base.tar") / 1000000)) MB"
test $((bytes / 1000000)) -lt $most_mb
say "all good"
