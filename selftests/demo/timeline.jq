# SPDX-License-Identifier: GPL-2.0
#
# What happened to which process, and how long it took: one line each, from the
# events of a tree, one after another.
#
#	PATH <tab> died, stopped, started, gave up <tab> milliseconds <tab> how

reduce inputs as $e ({begun: {}, lines: []};
	($e.path // "") as $path |
	if $e.event == "term" or $e.event == "kill" or $e.event == "start_request" then
		.begun[$path] //= $e.time_ns
	elif $e.type == "worker" and ($e.event == "exited" or $e.event == "started") then
		.lines += [[
			$path,
			if $e.event == "started" then "started"
			elif .begun[$path] then "stopped"
			else "died" end,
			(if .begun[$path] then ($e.time_ns - .begun[$path]) / 1e6 | round else 0 end),
			$e.text
		]] |
		del(.begun[$path])
	elif $e.event == "down" and $e.down == "intensity" then
		.lines += [[$path, "gave up", 0, $e.text]]
	else . end)
| .lines[] | @tsv
