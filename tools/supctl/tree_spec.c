// SPDX-License-Identifier: GPL-2.0
/*
 * tree_spec - how a child of a tree file is to be treated: when it is restarted,
 * how it starts and stops. What it runs is tree_command's.
 */
#include "tree_spec.h"

#include "../common.h"

#define RETRY_MAX_MS 60000

static void read_retry(const struct tree_reader *reader,
		       const struct shape_retry *retry,
		       struct sup_child_opts *opts)
{
	struct tree_reader inside = *reader;
	uint32_t counted = 1;

	if (!retry)
		return;
	inside.mapping = yaml_doc_value(reader->doc, reader->mapping, "retry");
	if (!retry->min)
		mistake_add(reader->mistakes, yaml_doc_line(inside.mapping),
			    "its first delay, such as min: 100ms",
			    "retry without 'min'");
	value_milliseconds(&inside, "min", retry->min, 1, TREE_START_TIMEOUT_MS_MAX,
			   &opts->retry_min_ms);
	opts->retry_max_ms = opts->retry_min_ms > RETRY_MAX_MS ?
		opts->retry_min_ms : RETRY_MAX_MS;
	value_milliseconds(&inside, "max", retry->max, 1, TREE_START_TIMEOUT_MS_MAX,
			   &opts->retry_max_ms);
	if (opts->retry_max_ms < opts->retry_min_ms)
		value_mistake(&inside, "max", retry->max,
			      "no less than 'min'");
	value_factor(&inside, "factor", retry->factor, &opts->retry_factor_pct);
	value_percent(&inside, "jitter", retry->jitter, &opts->retry_jitter_pct);
	opts->retry_reset_after_ms = opts->retry_max_ms;
	value_milliseconds(&inside, "reset_after", retry->reset_after, 0,
			   TREE_START_TIMEOUT_MS_MAX, &opts->retry_reset_after_ms);
	value_bool(&inside, "counted", retry->counted, &counted);
	opts->retry_uncounted = !counted;
}

void tree_spec_read(const struct tree_reader *reader,
		    const struct shape_child *shape,
		    struct sup_child_opts *opts)
{
	value_word(reader, "restart", shape->restart, SUP_WORDS_RESTART,
		   &opts->restart);
	value_bool(reader, "significant", shape->significant,
		   &opts->significant);
	value_shutdown(reader, "shutdown", shape->shutdown, &opts->shutdown_ms);
	read_retry(reader, shape->retry, opts);
}

void tree_spec_process_read(const struct tree_reader *reader,
			    const struct shape_child *shape,
			    struct sup_child_opts *opts)
{
	value_signal(reader, "stop_signal", shape->stop_signal,
		     &opts->stop_signal);
	value_word(reader, "signal", shape->signal, SUP_WORDS_SIGNAL,
		   &opts->signal_whom);
	value_word(reader, "readiness", shape->readiness, SUP_WORDS_READINESS,
		   &opts->readiness);
	value_milliseconds(reader, "start_timeout", shape->start_timeout, 0,
			   TREE_START_TIMEOUT_MS_MAX, &opts->start_timeout_ms);
}
