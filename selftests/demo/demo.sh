#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A shop of real daemons under supervisor.ko: they are killed, and come back in
# the right order; the one that owned them is killed, and nothing stays behind.
# Fails if anything is otherwise. Runs where the module is loaded, as root;
# anywhere else, in a guest. KERNEL says which.
set -uo pipefail
demo=$(cd "$(dirname "$0")" && pwd -P)
repo=$(cd "$demo/../.." && pwd -P)

if [[ ! -e /dev/supervisor ]]; then
	colour=0
	[[ ! -t 1 || -n ${NO_COLOR-} ]] || colour=1
	make -s -C "$repo/tools" && make -s -C "$demo" || exit
	exec "$repo/selftests/vm/run" -k "${KERNEL:-6.12}" -e DEMO_COLOUR=$colour \
		-- "$demo/demo.sh"
fi

shop=/tmp/shop
page=http://127.0.0.1:18080/
rm -rf $shop
mkdir -m 1777 $shop || exit
# The worker runs as another user, whom the repository may be closed to.
if [[ -x $repo/build/demo/worker ]]; then
	install -D "$repo/build/demo/worker" $shop/bin/worker || exit
else
	make -s -C "$demo" OUTPUT=$shop/bin || exit
fi
PATH=$repo/tools/build:$shop/bin:/usr/sbin:$PATH

bold='' dim='' red='' green='' plain=''
if [[ ${DEMO_COLOUR:-0} == 1 || ( -t 1 && -z ${NO_COLOR-} ) ]]; then
	bold=$'\033[1m' dim=$'\033[2m' red=$'\033[31m' green=$'\033[32m'
	plain=$'\033[0m'
fi

failed=0

title()
{
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# expect WHAT COMMAND...: a promise, and whether it was kept
expect()
{
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		printf '  %s✓ %s%s\n' "$green" "$what" "$plain"
	else
		printf '  %s✗ %s%s\n' "$red" "$what" "$plain"
		failed=1
	fi
}

# soon COMMAND...: succeeds within a minute
soon()
{
	local deadline=$((SECONDS + 60))
	while ((SECONDS < deadline)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.15
	done
	return 1
}

tree()
{
	printf '%s  $ supctl tree shop%s\n' "$dim" "$plain"
	supctl tree --pretty shop | sed 's/^/  /'
}

pid_of()
{
	supctl status -o pid "shop/$1"
}

shop_is_up()
{
	[[ $(supctl tree -o state shop | sort -u | xargs) == "running up" ]]
}

starts_or_fails()
{
	shop_is_up || ! kill -0 "$runner"
}

fetch()
{
	soon curl -sf -o "$shop/page" "$page"
	printf '%s  $ curl %s%s\n  %s\n' "$dim" "$page" "$plain" "$(cat "$shop/page")"
}

# watch: from now on, note what happens; timeline: show it
watch()
{
	supctl events --json shop >"$shop/events" &
	watcher=$!
	soon watcher_waits
}

# The follower has subscribed once it waits for events.
watcher_waits()
{
	[[ $(cat "/proc/$watcher/wchan" 2>/dev/null) == *poll* ]]
}

timeline()
{
	local path what ms how
	sleep 0.2
	kill "$watcher" 2>/dev/null
	wait "$watcher" 2>/dev/null
	jq -nr -f "$demo/timeline.jq" "$shop/events" >"$shop/timeline"
	while IFS=$'\t' read -r path what ms how; do
		case $what in
		died) printf '  %-22s %s%-7s%s %9s  %s\n' "$path" "$red" "$what" "$plain" "" "${how#exited: }" ;;
		started) printf '  %-22s %s%-7s%s %6d ms\n' "$path" "$green" "$what" "$plain" "$ms" ;;
		"gave up") printf '  %-22s %s%s%s\n' "$path" "$red" "$what" "$plain" ;;
		*) printf '  %-22s %-7s %6d ms\n' "$path" "$what" "$ms" ;;
		esac
	done <"$shop/timeline"
}

another_mailer_than()
{
	local pid
	pid=$(pid_of helpers/mailer) && [[ $pid != "$1" && $pid != - ]]
}

# happened LINE...: this, in this order, and nothing else
happened()
{
	[[ $(cut -f1,2 "$shop/timeline" | tr '\t' ' ') == $(printf '%s\n' "$@") ]]
}

# Each child leads a session, in which all that it forks stays: these are the
# processes of the shop.
processes()
{
	ps -o comm= --sid "$sessions" | sort | uniq -c |
		awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}

nothing_runs()
{
	! ps -o pid=,comm= --sid "$sessions"
}

# ---- Prepare

mkdir $shop/redis
cp "$demo/nginx.conf" "$demo/redis.conf" $shop/
chown redis: $shop/redis

# ---- The demo

title "A shop starts: each daemon once the one before it is ready"
supctl run --quiet "$demo/shop.yaml" 2>$shop/supctl.log &
runner=$!
soon starts_or_fails
if ! shop_is_up; then
	printf '  %s✗ it does not start%s\n' "$red" "$plain"
	tail -n 20 $shop/{supctl,redis,worker,nginx}.log
	exit 1
fi
tree
fetch
expect "the page comes from redis, through the worker and nginx" \
	grep -q "^visit 1," $shop/page

title "redis is killed: what needs it is stopped, last first, and all is started again"
watch
kill -KILL "$(pid_of redis)"
soon grep -q '"path":"shop/helpers","event":"up"' $shop/events
timeline
expect "in just this order" happened \
	"shop/redis died" \
	"shop/helpers/janitor stopped" "shop/helpers/mailer stopped" \
	"shop/nginx stopped" "shop/worker stopped" \
	"shop/redis started" "shop/worker started" "shop/nginx started" \
	"shop/helpers/mailer started" "shop/helpers/janitor started"
soon shop_is_up
fetch
expect "the shop serves again, and redis has forgotten nothing" \
	grep -q "^visit 2," $shop/page

title "a helper is killed once too often: its supervisor gives up, and is replaced"
watch
for _ in 1 2 3; do
	pid=$(pid_of helpers/mailer)
	kill -KILL "$pid"
	soon another_mailer_than "$pid"
done
soon grep -q '"path":"shop/helpers","event":"up"' $shop/events
timeline
expect "two restarts in a minute are allowed; then both helpers are started anew" happened \
	"shop/helpers/mailer died" "shop/helpers/mailer started" \
	"shop/helpers/mailer died" "shop/helpers/mailer started" \
	"shop/helpers/mailer died" \
	"shop/helpers/janitor stopped" "shop/helpers gave up" \
	"shop/helpers/mailer started" "shop/helpers/janitor started"
tree

title "supctl itself is killed: the kernel stops the shop, in order, and nothing is left"
sessions=$(supctl tree -o type,pid shop | awk '$1 == "worker" { print $2 }' | paste -sd,)
running=$(processes)
printf '  running: %s\n' "$running"
expect "nginx's own workers are among them" grep -q "3 nginx" <<<"$running"
watch
kill -KILL "$runner"
wait "$runner" 2>/dev/null
soon nothing_runs
wait "$watcher"
timeline
expect "last first" happened \
	"shop/helpers/janitor stopped" "shop/helpers/mailer stopped" \
	"shop/nginx stopped" "shop/worker stopped" "shop/redis stopped"
expect "none of them is left, nor nginx's workers" nothing_runs
expect "nor is their tree" test -z "$(supctl tree -o path)"

echo
if [[ $failed == 0 ]]; then
	printf '%sAll of it as promised.%s\n' "$bold$green" "$plain"
else
	printf '%sSomething was not as promised.%s\n' "$bold$red" "$plain"
	tail -n 20 $shop/{supctl,redis,worker,nginx}.log
fi
[[ $failed == 0 ]]
