#!/bin/sh
usage='Usage: make test-all
Runs the tests of everything that speaks SQL against the PostgreSQL of Debian instead of the one from npm: users bring
older servers than ours. Then a small load through the PgBouncer of Debian in transaction mode, with a crash of that
server. Installs the packages where they are missing (root), runs private servers, leaves nothing running.'
case "$*" in
  '') ;;
  --help) echo "$usage"; exit 0 ;;
  *) echo "There is no option $1: --help says what there is." >&2; exit 1 ;;
esac
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
if ! command -v pgbouncer >/dev/null 2>&1; then
  apt-get update -qq
  # The package would start a service of its own, unless a policy forbids that.
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"; fi
  trap '[ -z "$policy" ] || rm -f "$policy"' EXIT INT TERM
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq pgbouncer >/dev/null
  [ -z "$policy" ] || rm -f "$policy"
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
sh scripts/node.sh bench/load.ts --sessions 20 --messages 8 --instances 2 --rate 20 --hold 5 --restarts 1 \
  --ways pgbouncer --phases open,restarts --report reports/load-debian.json \
  --database "postgres://postgres@127.0.0.1:$port/postgres" \
  --restart "su postgres -s /bin/sh -c \"'$bin/pg_ctl' -D '$folder/data' -l '$folder/log' -w -m immediate restart\""
