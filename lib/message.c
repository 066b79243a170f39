// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * message.c - owns reading messages. Each function checks what it needs, so
 * that a message may come from anywhere, as long as head.size bytes are there.
 */
#include <errno.h>
#include <string.h>
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

/* Two strings at @offset, each with its NUL: the id, then the path. */
static bool msg_strings_ok(const struct supervisor_msg *msg, size_t offset,
			   size_t id_len, size_t path_len)
{
	const char *id = (const char *)msg + offset;

	return msg->size >= offset + id_len + 1 + path_len + 1 &&
	       !id[id_len] && !id[id_len + 1 + path_len];
}

static size_t msg_blob_offset(const struct supervisor_msg_start *start)
{
	size_t end = sizeof(*start) + start->id_len + 1 + start->path_len + 1;

	return (end + 7) & ~(size_t)7;
}

const struct supervisor_msg_start *
sup_msg_start(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start;
	size_t blob;

	start = msg_as(msg, SUPERVISOR_MSG_START, sizeof(*start));
	if (!start || !msg_strings_ok(msg, sizeof(*start), start->id_len,
				      start->path_len))
		return NULL;
	blob = msg_blob_offset(start);
	if (start->blob_len &&
	    (blob > msg->size || start->blob_len > msg->size - blob))
		return NULL;
	return start;
}

const struct supervisor_msg_event *
sup_msg_event(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_event *event;

	event = msg_as(msg, SUPERVISOR_MSG_EVENT, sizeof(*event));
	if (!event || !msg_strings_ok(msg, sizeof(*event), event->id_len,
				      event->path_len))
		return NULL;
	return event;
}

const struct supervisor_msg_answer *
sup_msg_answer(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_answer *answer;

	answer = msg_as(msg, SUPERVISOR_MSG_ANSWER, sizeof(*answer));
	if (!answer || answer->data_len > msg->size - sizeof(*answer))
		return NULL;
	return answer;
}

const char *sup_msg_id(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);
	const struct supervisor_msg_event *event = sup_msg_event(msg);

	if (start)
		return (const char *)(start + 1);
	if (event)
		return (const char *)(event + 1);
	return "";
}

const char *sup_msg_path(const struct supervisor_msg *msg)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);
	const struct supervisor_msg_event *event = sup_msg_event(msg);

	if (start)
		return (const char *)(start + 1) + start->id_len + 1;
	if (event)
		return (const char *)(event + 1) + event->id_len + 1;
	return "";
}

const void *sup_msg_blob(const struct supervisor_msg *msg, size_t *len)
{
	const struct supervisor_msg_start *start = sup_msg_start(msg);

	*len = 0;
	if (!start)
		return NULL;
	*len = start->blob_len;
	if (!start->blob_len)
		return start;	/* not NULL: there is a blob, of no bytes */
	return (const char *)msg + msg_blob_offset(start);
}

static const void *answer_data(const struct supervisor_msg *msg,
			       uint32_t command, size_t *len)
{
	const struct supervisor_msg_answer *answer = sup_msg_answer(msg);

	*len = 0;
	if (!answer || answer->command != command ||
	    answer->result != SUPERVISOR_RESULT_OK)
		return NULL;
	*len = answer->data_len;
	return answer + 1;
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
