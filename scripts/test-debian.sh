#!/bin/sh
usage='Usage: make test-all
Runs the tests of everything that speaks SQL against the PostgreSQL of Debian instead of the one from npm: users bring
older servers than ours. Then a small load through the PgBouncer of Debian in transaction mode, with a crash of that
server, the mail channel with the dovecot of Debian, and the chat page in its Chromium (pictures of it are then in
reports/screenshots/). Installs the packages where they are missing (root), runs private servers, leaves nothing running.'
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
# Packages, without their services: a package would start one of its own, unless a policy forbids that.
install() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"; fi
  trap '[ -z "$policy" ] || rm -f "$policy"' EXIT INT TERM
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  [ -z "$policy" ] || rm -f "$policy"
}
missing() { ! command -v "$1" >/dev/null 2>&1; }
if [ -z "$(binaries)" ]; then
  # Without a cluster of the system's own: this script makes and removes one.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  install postgresql
fi
if missing pgbouncer; then install pgbouncer; fi
if missing dovecot; then install dovecot-imapd; fi
if missing chromium; then install chromium fonts-dejavu-core; fi
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
TEST_DOVECOT=$(command -v dovecot) TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres" \
  sh scripts/node.sh scripts/test.ts shared/channels/email/dovecot.test.ts
TEST_CHROMIUM=$(command -v chromium) TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres" \
  sh scripts/node.sh scripts/test.ts web/browser
sh scripts/node.sh bench/load.ts --sessions 20 --messages 8 --instances 2 --rate 20 --hold 5 --restarts 1 \
  --ways pgbouncer --phases open,restarts --report reports/load-debian.json \
  --database "postgres://postgres@127.0.0.1:$port/postgres" \
  --restart "su postgres -s /bin/sh -c \"'$bin/pg_ctl' -D '$folder/data' -l '$folder/log' -w -m immediate restart\""
