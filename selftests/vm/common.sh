# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of the lab share: where things are, which kernels there are,
# how to fail, and an apt of our own. Sourced, never run.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
vm=$repo/selftests/vm
# shellcheck disable=SC2034 # for the scripts which source this
build=$repo/build
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/supervisor

# Every kernel of the lab, in the order in which they are tested.
# shellcheck disable=SC2034
kernel_names=(6.12 6.1 6.12-rt next debug kcsan)

# The status of a run whose command did not get to say its own: the lab failed,
# or the guest crashed, hung or complained.
readonly LAB_FAILED=125

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$LAB_FAILED"
}

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# run_logged LOG WHAT COMMAND...: run a long command quietly; show the end of
# its output only if it fails.
run_logged()
{
	local log=$1 what=$2
	shift 2
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	die "$what failed; all of its output is in $log"
}

# newer_than_a_day FILE
newer_than_a_day()
{
	[[ -n $(find "$1" -mmin -1440 2>/dev/null) ]]
}

# A private apt state: kernels come from releases which the machine itself need
# not be subscribed to, and are unpacked, never installed, so no root is needed.
# The mirrors are those that the machine already uses.
apt_options=(
	-o "Dir::Etc::sourcelist=$cache/apt/sources.list"
	-o "Dir::Etc::sourceparts=-"
	-o "Dir::State::lists=$cache/apt/lists"
	-o "Dir::Cache=$cache/apt/cache"
	-o "Dir::Cache::pkgcache=$cache/apt/pkgcache.bin"
	-o "Dir::Cache::srcpkgcache="
	-o "Acquire::Languages=none"
	-o "Acquire::Retries=3"
	-o "APT::Sandbox::User="
	-q
)

# machine_mirror LABEL: the first mirror that the machine uses for an archive with
# this label, as the archive itself says.
machine_mirror()
{
	apt-get indextargets --format '$(LABEL)|$(COMPONENT)|$(REPO_URI)' \
		'Created-By: Packages' |
		awk -F'|' -v label="$1" '$1 == label && $2 == "main" { print $3; exit }'
}

# Bring the package lists of the private state up to date, at most once a day.
apt_refresh()
{
	local lists=$cache/apt/lists mirror security
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	mkdir -p "$lists/partial" "$cache/apt/cache/archives/partial"
	exec {apt_lock}>"$cache/apt/lock"
	flock "$apt_lock"
	if ! newer_than_a_day "$cache/apt/stamp"; then
		mirror=$(machine_mirror Debian)
		security=$(machine_mirror Debian-Security)
		[[ -n $mirror && -n $security ]] ||
			die "this machine's apt knows no mirror of Debian and of" \
			    "its security updates: see /etc/apt and apt-get update"
		cat >"$cache/apt/sources.list" <<-END
		deb [signed-by=$keyring] $mirror bookworm main
		deb [signed-by=$keyring] $security bookworm-security main
		deb [signed-by=$keyring] $mirror trixie-backports main
		END
		if apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any \
			update >"$cache/apt/update.log" 2>&1; then
			touch "$cache/apt/stamp"
		elif [[ -e $cache/apt/stamp ]]; then
			say "package lists cannot be updated; using those of" \
			    "$(date -r "$cache/apt/stamp" +%F)"
		else
			cat "$cache/apt/update.log" >&2
			die "package lists cannot be fetched"
		fi
	fi
	exec {apt_lock}>&-
}

# fetch_packages DIRECTORY PACKAGE...: download and unpack into DIRECTORY.
fetch_packages()
{
	local into=$1 debs
	shift
	debs=$(mktemp -d "$cache/debs.XXXXXX")
	say "fetching $*"
	(cd "$debs" && run_logged "$cache/apt/download.log" "fetching $*" \
		apt-get "${apt_options[@]}" download "$@")
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$into"
	done
	rm -rf "$debs"
}

# package_version PACKAGE
package_version()
{
	apt-cache "${apt_options[@]}" policy "$1" |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }' | grep . ||
		die "no package $1 at the machine's Debian mirrors"
}

# in_cache DIRECTORY FUNCTION ARGUMENT...: make DIRECTORY once. FUNCTION builds
# it under a name of its own, as its first argument, which becomes DIRECTORY
# only when complete; who comes at the same time waits.
in_cache()
{
	local directory=$1 function=$2 lock
	shift 2
	[[ -d $directory ]] && return
	mkdir -p "${directory%/*}"
	exec {lock}>"$directory.lock"
	flock "$lock"
	if [[ ! -d $directory ]]; then
		rm -rf "$directory.new"
		mkdir "$directory.new"
		"$function" "$directory.new" "$@"
		mv -T "$directory.new" "$directory"
	fi
	exec {lock}>&-
}
