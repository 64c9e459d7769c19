#!/bin/sh
# The tests of everything that speaks SQL, against Debian's own PostgreSQL instead of the one from npm: users bring
# older servers than ours. Installs the package where it is missing (root), runs a private server, leaves nothing behind.
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "make test-all needs Debian and root, to install and start PostgreSQL; make test needs neither." >&2
  exit 1
fi
binaries() { find /usr/lib/postgresql -name initdb -path '*/bin/*' 2>/dev/null | sort -V | tail -n 1 | xargs -r dirname; }
if [ -z "$(binaries)" ]; then
  apt-get update -qq
  # Without a cluster of the system's own: this script makes and removes one.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
fi
bin=$(binaries)
folder=$(mktemp -d /tmp/self-service-agent-debian.XXXXXX)
stop() { su postgres -s /bin/sh -c "'$bin/pg_ctl' -D '$folder/data' -m immediate stop" >/dev/null 2>&1 || true; rm -rf "$folder"; }
trap stop EXIT INT TERM
chown postgres "$folder"
port=$(sh scripts/node.sh -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
su postgres -s /bin/sh -c "'$bin/initdb' -D '$folder/data' -U postgres --auth=trust -E UTF8 --locale=C.UTF-8" >/dev/null
su postgres -s /bin/sh -c "'$bin/pg_ctl' -D '$folder/data' -l '$folder/log' -w -o '-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off' start" >/dev/null
echo "PostgreSQL $("$bin/postgres" --version | sed 's/.*) //') of Debian, port $port"
TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres" sh scripts/node.sh scripts/test.ts \
  shared/store shared/stage shared/knowledge functions/keeper functions/servicenow test/queue.test.ts test/conversations.test.ts
