# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the check's shell stages share: emitting TAP. Sourced after cd to the
# repository by `. selftests/check/tap.sh`, which puts $repo, $vm, $build and
# $kernels in place.

# shellcheck source=../vm/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../vm/common.sh"
cd "$repo"
read -ra kernels <<<"${CHECK_KERNELS:-6.12}"
# shellcheck disable=SC2034 # for stages
fast=${CHECK_FAST:-0}
mkdir -p "$build/check"

# For a stage that takes too long where minutes count.
not_fast()
{
	[[ $fast == 1 ]] || return 0
	echo "1..0 # SKIP not in the fast check"
	exit
}

tests=0

# ok NAME COMMAND...: a test which passes if COMMAND does. What it says is shown
# when it does not.
ok()
{
	local name=$1 output status=0
	shift
	tests=$((tests + 1))
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [[ $status == 0 ]]; then
		printf 'ok %d - %s\n' "$tests" "$name"
	else
		printf 'not ok %d - %s\n' "$tests" "$name"
		printf '# %s\n' "$name: failed with status $status:" >&2
		printf '%s\n' "$output" | sed 's/^/#   /' >&2
	fi
}

# Every stage ends with this; a stage which does not has no plan and fails.
done_testing()
{
	printf '1..%d\n' "$tests"
}
