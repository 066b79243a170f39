# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the stages share that play scenarios with real processes, sourced by them as
# tap.sh is.

# shellcheck source=tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"

# play WHAT COUNT OPTION...: the recorded scenarios of selftests/otp/differential
# with these options and COUNT random ones, on both sides, in one guest of the first
# of $CHECK_KERNELS.
play()
{
	local what=$1 count=$2 kernel=${kernels[0]}
	local results=$build/check/$what-$kernel.tap status=0

	shift 2
	export SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
	make --no-print-directory -s -C selftests/otp >&2
	selftests/otp/differential "$@" --recorded --count "$count" \
		--out "$build/otp/$what-$kernel" \
		--replay "$vm/run -k $kernel -- selftests/otp/replay" >"$results" || status=$?
	awk -v kernel="$kernel" '/^(not )?ok / {
		sub(/ok [0-9]+ - /, "ok " ++tests " - " kernel " ")
		print
	}' "$results"
	tests=$(grep -cE '^(not )?ok ' "$results" || :)
	ok "$kernel all as OTP, SEED=$SEED" test "$status" = 0
}
