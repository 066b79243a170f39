// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * message.c - owns reading messages. Each function checks what it needs, so
 * that a message may come from anywhere, as long as head.size bytes are there.
 */
#include <errno.h>
#include "internal.h"

const struct supervisor_msg *
sup_msg_next(const void *buf, size_t len, const struct supervisor_msg *prev)
{
	return sup_record_next(buf, len, prev, sizeof(*prev));
}

static const void *msg_as(const struct supervisor_msg *msg, uint16_t type,
			  size_t min)
{
	return msg->type == type && msg->size >= min ? msg : NULL;
}

static bool msg_bytes_ok(const struct supervisor_msg *msg, size_t offset,
			 size_t len)
{
	return offset <= msg->size && len <= msg->size - offset;
}

/* The id and the path after it, each with its NUL. */
static bool msg_text_ok(const struct supervisor_msg *msg, size_t offset,
			size_t id_len, size_t path_len)
{
	return sup_record_text_ok(msg, msg->size, offset, id_len) &&
	       sup_record_text_ok(msg, msg->size, offset + id_len + 1,
				  path_len);
}

const struct supervisor_msg_start *
sup_msg_start(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start;

	start = msg_as(msg, SUPERVISOR_MSG_START, sizeof(*start));
	if (!start || !msg_text_ok(msg, start->text_offset, start->id_len,
				   start->path_len) ||
	    !msg_bytes_ok(msg, start->blob_offset, start->blob_len))
		return NULL;
	return start;
}

const struct supervisor_msg_event *
sup_msg_event(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event;

	event = msg_as(msg, SUPERVISOR_MSG_EVENT, sizeof(*event));
	if (!event || !msg_text_ok(msg, event->text_offset, event->id_len,
				   event->path_len))
		return NULL;
	return event;
}

const struct supervisor_msg_crash *
sup_msg_crash(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_crash *crash;

	crash = msg_as(msg, SUPERVISOR_MSG_CRASH, sizeof(*crash));
	if (!crash || !msg_text_ok(msg, crash->text_offset, crash->id_len,
				   crash->path_len) ||
	    crash->lineage_offset % 8 || crash->lineage_offset > msg->size)
		return NULL;
	return crash;
}

const struct supervisor_lineage_entry *
sup_crash_next(const struct supervisor_msg_crash *crash,
	       const struct supervisor_lineage_entry *prev)
{
	return sup_record_lineage((const char *)crash + crash->lineage_offset,
				  crash->head.size - crash->lineage_offset,
				  prev);
}

const struct supervisor_msg_answer *
sup_msg_answer(const struct supervisor_msg *msg)
{
	return msg_as(msg, SUPERVISOR_MSG_ANSWER,
		      sizeof(struct supervisor_msg_answer));
}

const struct supervisor_msg_data *
sup_msg_data(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_data *data;

	data = msg_as(msg, SUPERVISOR_MSG_CAST, sizeof(*data));
	if (!data)
		data = msg_as(msg, SUPERVISOR_MSG_CALL, sizeof(*data));
	if (!data || !msg_bytes_ok(msg, data->payload_offset,
				   data->payload_len))
		return NULL;
	return data;
}

const struct supervisor_msg_reply *
sup_msg_reply(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_reply *reply;

	reply = msg_as(msg, SUPERVISOR_MSG_REPLY, sizeof(*reply));
	if (!reply || !msg_bytes_ok(msg, reply->payload_offset,
				    reply->payload_len))
		return NULL;
	return reply;
}

const struct supervisor_msg_down *sup_msg_down(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_down *down;

	down = msg_as(msg, SUPERVISOR_MSG_DOWN, sizeof(*down));
	return down ? down : msg_as(msg, SUPERVISOR_MSG_EXIT, sizeof(*down));
}

const void *sup_msg_payload(const struct supervisor_msg *msg, size_t *len)
{
	const struct supervisor_msg_data *data = sup_msg_data(msg);
	const struct supervisor_msg_reply *reply = sup_msg_reply(msg);

	*len = 0;
	if (data) {
		*len = data->payload_len;
		return (const char *)msg + data->payload_offset;
	}
	if (reply) {
		*len = reply->payload_len;
		return (const char *)msg + reply->payload_offset;
	}
	return NULL;
}

/* Of a cast or call: behind the payload, when it was asked for. */
static const char *data_path(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_data *data = sup_msg_data(msg);
	size_t at;

	if (!data || !(msg->flags & SUPERVISOR_MSG_F_PATH))
		return "";
	at = ((size_t)data->payload_offset + data->payload_len + 7) & ~(size_t)7;
	if (!sup_record_text_ok(msg, msg->size, at, data->path_len))
		return "";
	return (const char *)msg + at;
}

const char *sup_msg_id(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	const struct supervisor_msg_crash *crash = sup_msg_crash(msg);

	if (start)
		return (const char *)msg + start->text_offset;
	if (event)
		return (const char *)msg + event->text_offset;
	if (crash)
		return (const char *)msg + crash->text_offset;
	return "";
}

const char *sup_msg_path(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);
	const struct supervisor_msg_event *event = sup_msg_event(msg);
	const struct supervisor_msg_crash *crash = sup_msg_crash(msg);

	if (start)
		return sup_msg_id(msg) + start->id_len + 1;
	if (event)
		return sup_msg_id(msg) + event->id_len + 1;
	if (crash)
		return sup_msg_id(msg) + crash->id_len + 1;
	return data_path(msg);
}

const void *sup_msg_blob(const struct supervisor_msg *msg, size_t *len)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);

	*len = 0;
	if (!start)
		return NULL;
	*len = start->blob_len;
	return (const char *)msg + start->blob_offset;
}

const void *sup_msg_args(const struct supervisor_msg *msg, size_t *len)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);

	*len = 0;
	if (!start || !start->args_len)
		return NULL;
	*len = start->args_len;
	return (const char *)msg + start->args_offset;
}

/* NULL also when the answer had no room for them. */
static const void *answer_data(const struct supervisor_msg *msg,
			       uint32_t command, size_t *len)
{
	const struct supervisor_msg_answer *answer = sup_msg_answer(msg);

	*len = 0;
	if (!answer || answer->command != command ||
	    answer->result != SUPERVISOR_RESULT_OK ||
	    !msg_bytes_ok(msg, answer->data_offset, answer->data_len))
		return NULL;
	*len = answer->data_len;
	return (const char *)msg + answer->data_offset;
}

const struct supervisor_child_status *
sup_msg_child_next(const struct supervisor_msg *msg,
		   const struct supervisor_child_status *prev)
{
	size_t len;
	const void *data;

	data = answer_data(msg, SUPERVISOR_CMD_WHICH_CHILDREN, &len);
	return data ? sup_record_child(data, len, prev) : NULL;
}

const struct supervisor_count *sup_msg_count(const struct supervisor_msg *msg)
{
	size_t len;
	const void *data;

	data = answer_data(msg, SUPERVISOR_CMD_COUNT_CHILDREN, &len);
	return data && len >= sizeof(struct supervisor_count) ? data : NULL;
}

int sup_msg_spec(const struct supervisor_msg *msg, struct sup_child_opts *opts)
{
	size_t len;
	const void *data;

	data = answer_data(msg, SUPERVISOR_CMD_CHILD_SPEC, &len);
	return data ? sup_spec_to_opts(data, len, opts) : -EINVAL;
}

const struct supervisor_msg_registry *
sup_msg_registry(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_registry *change;

	change = msg_as(msg, SUPERVISOR_MSG_REGISTRY, sizeof(*change));
	if (!change || !msg_text_ok(msg, change->text_offset, change->key_len,
				    change->value_len))
		return NULL;
	return change;
}

const void *sup_msg_key(const struct supervisor_msg_registry *change)
{
	return (const char *)change + change->text_offset;
}

const void *sup_msg_value(const struct supervisor_msg_registry *change)
{
	return (const char *)change + change->text_offset + change->key_len + 1;
}
