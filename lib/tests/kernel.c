// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kernel.c - owns the answers of kernel.h. One lock; whoever waits looks again
 * every millisecond, which sees a deadline that a signal handler has changed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "../internal.h"
#include "kernel.h"

#define BOXES 64
#define CALLS 4096

struct kernel kernel;

struct message {
	struct message *next;
	size_t size;
	_Alignas(8) unsigned char bytes[];
};

struct box {
	int files;		/* 0: it is not there */
	bool owned;
	bool survive;
	char name[64];
	struct message *first;
};

/* A call or an alias. */
enum state { NONE, QUEUED, TAKEN, ANSWERED, FAILED, GONE };

struct call {
	enum state state;
	int box;		/* to whom */
	struct box *into;	/* started: where the reply goes */
	int error;
	size_t len;
	unsigned char *reply;
};

static struct box boxes[BOXES];
static int files[BOXES];		/* of a descriptor, the box + 1 */
static struct call calls[CALLS];
static int aliases[CALLS];		/* the box + 1 */
static uint64_t last_ref = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* In the place of the library's: ld's --wrap. */
int __wrap_sup_ioctl(int fd, unsigned long request, void *arg);
void __wrap_sup_close(int fd);

/* ---- parts ------------------------------------------------------------ */

static void *at(uint64_t pointer)
{
	return (void *)(uintptr_t)pointer;
}

static struct box *box_of(int fd)
{
	return fd >= 0 && fd < BOXES && files[fd] ? &boxes[files[fd] - 1] : NULL;
}

static int index_of(const struct box *box)
{
	return (int)(box - boxes);
}

static int file_of(struct box *box)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0 || fd >= BOXES)
		abort();
	files[fd] = index_of(box) + 1;
	box->files++;
	return fd;
}

static void box_put(struct box *box, const void *bytes, size_t size)
{
	struct message *msg = malloc(sizeof(*msg) + size);
	struct message **link = &box->first;

	if (!msg)
		abort();
	msg->next = NULL;
	msg->size = size;
	memcpy(msg->bytes, bytes, size);
	while (*link)
		link = &(*link)->next;
	*link = msg;
}

static void box_put_data(struct box *box, uint16_t type, uint64_t ref,
			 const void *payload, size_t len)
{
	struct supervisor_msg_data data = {
		.head = {
			.size = (uint32_t)((sizeof(data) + len + 7) & ~7UL),
			.type = type,
			.ref = ref,
			.pid = kernel.pid,
			.uid = kernel.uid,
			.time_ns = sup_deadline_in(0),
		},
		.payload_len = (uint32_t)len,
		.payload_offset = sizeof(data),
	};
	unsigned char *bytes = calloc(1, data.head.size);

	if (!bytes)
		abort();
	memcpy(bytes, &data, sizeof(data));
	if (len)
		memcpy(bytes + sizeof(data), payload, len);
	box_put(box, bytes, data.head.size);
	free(bytes);
}

static void box_put_reply(struct box *box, uint64_t ref,
			  const struct call *call)
{
	struct supervisor_msg_reply reply = {
		.head = {
			.size = (uint32_t)((sizeof(reply) + call->len + 7) & ~7UL),
			.type = SUPERVISOR_MSG_REPLY,
			.ref = ref,
		},
		.error = call->error,
		.payload_len = (uint32_t)call->len,
		.payload_offset = sizeof(reply),
	};
	unsigned char *bytes = calloc(1, reply.head.size);

	if (!bytes)
		abort();
	memcpy(bytes, &reply, sizeof(reply));
	if (call->len)
		memcpy(bytes + sizeof(reply), call->reply, call->len);
	box_put(box, bytes, reply.head.size);
	free(bytes);
}

static void call_end(uint64_t ref, int error)
{
	struct call *call = &calls[ref];

	call->error = error;
	call->state = error ? FAILED : ANSWERED;
	if (call->into && call->into->files)
		box_put_reply(call->into, ref, call);
}

/* The owner is gone; with the last file, what waits goes, too. */
static void box_lose_owner(struct box *box, bool closed)
{
	struct message *next;

	box->owned = false;
	for (uint64_t ref = 1; ref < last_ref; ref++) {
		struct call *call = &calls[ref];

		if (call->box == index_of(box) && (call->state == TAKEN ||
		    (call->state == QUEUED && (!box->survive || closed))))
			call_end(ref, EOWNERDEAD);
	}
	if (!closed)
		return;
	for (struct message *msg = box->first; msg; msg = next) {
		next = msg->next;
		free(msg);
	}
	*box = (struct box){ .files = 0 };
}

/* Waits a moment, or says how the wait has ended. */
static int wait_more(const uint64_t *deadline)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	uint64_t until = *(const volatile uint64_t *)deadline;

	if (!until)
		return -EAGAIN;
	if (sup_deadline_in(0) >= until)
		return -ETIMEDOUT;
	if (kernel.interrupts > 0) {
		kernel.interrupts--;
		return -EINTR;
	}
	pthread_mutex_unlock(&lock);
	nanosleep(&moment, NULL);
	pthread_mutex_lock(&lock);
	return 0;
}

/* ---- receiving -------------------------------------------------------- */

static int take(struct box *box, uint32_t flags, uint64_t ref, void *buf,
		__u32 *buf_len, __u32 *count, const uint64_t *deadline)
{
	const struct supervisor_msg *head;
	struct message **link, *msg;
	int ret;

	kernel.receives++;
	for (;;) {
		for (link = &box->first; *link; link = &(*link)->next) {
			head = (const void *)(*link)->bytes;
			if (!(flags & SUPERVISOR_RECV_F_REF) ||
			    head->ref == ref)
				break;
		}
		if (*link)
			break;
		ret = wait_more(deadline);
		if (ret)
			return ret;
	}
	msg = *link;
	head = (const void *)msg->bytes;
	if (msg->size > *buf_len) {
		*buf_len = (uint32_t)msg->size;
		return -EMSGSIZE;
	}
	if (head->type == SUPERVISOR_MSG_CALL)
		calls[head->ref].state = TAKEN;
	memcpy(buf, msg->bytes, msg->size);
	*buf_len = (uint32_t)msg->size;
	*count = 1;
	*link = msg->next;
	free(msg);
	return 0;
}

static int reply(uint64_t from, const void *buf, size_t len)
{
	struct call *call = &calls[from];

	if (from >= last_ref || call->state == NONE || call->state == QUEUED)
		return -ENOENT;
	if (call->state == ANSWERED)
		return -EALREADY;
	if (call->state != TAKEN)
		return -ESTALE;
	if (kernel.refuse_replies > 0) {
		kernel.refuse_replies--;
		return -kernel.refusal;
	}
	call->reply = malloc(len + 1);
	if (!call->reply)
		abort();
	if (len)
		memcpy(call->reply, buf, len);
	call->len = len;
	call_end(from, 0);
	return 0;
}

static int reply_recv(struct box *box, struct supervisor_call_reply_recv *arg)
{
	int ret;

	arg->out_reply_error = 0;
	if (arg->from) {
		ret = reply(arg->from, at(arg->reply), arg->reply_len);
		if (ret == -ENOENT || ret == -EALREADY || ret == -ESTALE)
			arg->out_reply_error = -ret;
		else if (ret)
			return ret;
		arg->from = 0;
	}
	return take(box, 0, 0, at(arg->buf), &arg->buf_len, &arg->out_count,
		    (const uint64_t *)&arg->deadline);
}

/* ---- sending ---------------------------------------------------------- */

static int room(const struct box *box, size_t len, const uint64_t *deadline,
		__u32 *limit, __u32 *max)
{
	int ret;

	if (len > SUPERVISOR_PAYLOAD_MAX) {
		*max = SUPERVISOR_PAYLOAD_MAX;
		return -EMSGSIZE;
	}
	for (;;) {
		if (!box->files || (!box->owned && !box->survive))
			return -ESHUTDOWN;
		if (!kernel.full)
			return 0;
		*limit = SUPERVISOR_LIMIT_MAILBOX_MESSAGES;
		ret = wait_more(deadline);
		if (ret)
			return ret;
	}
}

static uint64_t call_queue(struct box *box, struct box *into, const void *buf, size_t len)
{
	uint64_t ref = last_ref++;

	if (ref >= CALLS)
		abort();
	calls[ref] = (struct call){
		.state = QUEUED,
		.box = index_of(box),
		.into = into,
	};
	kernel.calls_sent++;
	box_put_data(box, SUPERVISOR_MSG_CALL, ref, buf, len);
	return ref;
}

/* Takes it back if nobody has it yet. */
static void call_drop(uint64_t ref)
{
	struct box *box = &boxes[calls[ref].box];
	struct message *msg;

	calls[ref].state = GONE;
	for (struct message **link = &box->first; *link;
	     link = &(*link)->next) {
		const struct supervisor_msg *head = (void *)(*link)->bytes;

		if (head->type != SUPERVISOR_MSG_CALL || head->ref != ref)
			continue;
		msg = *link;
		*link = msg->next;
		free(msg);
		return;
	}
}

static int call(struct box *box, struct supervisor_mailbox_call *arg)
{
	struct call *call;
	int ret;

	if (!arg->deadline && !arg->call)
		return -EAGAIN;
	if (!arg->call) {
		ret = room(box, arg->len, (const uint64_t *)&arg->deadline,
			   &arg->out_limit, &arg->out_max);
		if (ret)
			return ret;
		arg->call = call_queue(box, NULL, at(arg->buf), arg->len);
	}
	call = &calls[arg->call];
	if (arg->call >= last_ref || call->state == GONE)
		return -ESTALE;
	while (call->state == QUEUED || call->state == TAKEN) {
		ret = wait_more((const uint64_t *)&arg->deadline);
		if (ret == -EINTR)
			return ret;
		if (ret) {
			call_drop(arg->call);
			return ret;
		}
	}
	if (call->state == FAILED) {
		call->state = GONE;
		return -call->error;
	}
	if (call->len > arg->reply_len) {
		arg->reply_len = (uint32_t)call->len;
		return -EMSGSIZE;
	}
	memcpy(at(arg->reply), call->reply, call->len);
	arg->reply_len = (uint32_t)call->len;
	return 0;
}

static int started(struct box *box, struct supervisor_call_start *arg)
{
	int ret;

	if (!box_of(arg->mailbox_fd))
		return -EBADF;
	ret = room(box, arg->len, (const uint64_t *)&arg->deadline,
		   &arg->out_limit, &arg->out_max);
	if (!ret)
		arg->out_ref = call_queue(box, box_of(arg->mailbox_fd),
					  at(arg->buf), arg->len);
	return ret;
}

static int cancel(struct supervisor_ref *arg)
{
	struct call *call = &calls[arg->ref];

	arg->out_found = arg->ref < last_ref &&
			 (call->state == QUEUED || call->state == TAKEN);
	if (arg->out_found)
		call_drop(arg->ref);
	return 0;
}

/* ---- the device ------------------------------------------------------- */

static struct box *box_named(const char *name)
{
	for (size_t i = 0; i < BOXES; i++)
		if (boxes[i].files && !strcmp(boxes[i].name, name))
			return &boxes[i];
	return NULL;
}

static int create(struct supervisor_mailbox_create *arg)
{
	struct box *box = boxes;
	char name[64] = "";

	if (arg->name_len) {
		memcpy(name, at(arg->name), arg->name_len);
		if (box_named(name) || kernel.names_taken-- > 0)
			return -EEXIST;
	}
	while (box->files)
		box++;
	*box = (struct box){
		.owned = true,
		.survive = arg->flags & SUPERVISOR_MAILBOX_F_SURVIVE,
	};
	memcpy(box->name, name, sizeof(name));
	arg->out_fd = file_of(box);
	arg->out_id = (uint64_t)arg->out_fd;
	return 0;
}

static int opened(struct supervisor_open *arg)
{
	char name[64] = "";

	memcpy(name, at(arg->name), arg->name_len);
	if (!box_named(name))
		return -ENOENT;
	arg->out_fd = file_of(box_named(name));
	return 0;
}

static int report(const struct supervisor_child_report *arg)
{
	if (kernel.report_error)
		return -kernel.report_error;
	if (kernel.reports == ARRAY_SIZE(kernel.report))
		abort();
	kernel.report[kernel.reports++] = (struct kernel_report){
		.report = arg->report,
		.error = arg->error,
	};
	return 0;
}

static int alias_send(struct supervisor_alias_send *arg)
{
	int box = arg->alias < CALLS ? aliases[arg->alias] - 1 : -1;
	int ret;

	if (box < 0 || !boxes[box].files)
		return -ESTALE;
	ret = room(&boxes[box], arg->len, (const uint64_t *)&arg->deadline,
		   &arg->out_limit, &arg->out_max);
	if (!ret)
		box_put_data(&boxes[box], SUPERVISOR_MSG_CAST, arg->alias,
			     at(arg->buf), arg->len);
	return ret;
}

/* What has not been reaped has its number still. */
static bool stranger(int pidfd)
{
	return pidfd >= 0 && kernel.reaped;
}

static int process_link(struct supervisor_process_link *arg)
{
	if (stranger(arg->pidfd))
		return -ESRCH;
	kernel.linked = arg->pid;
	kernel.link = last_ref++;
	kernel.links++;
	arg->out_ref = kernel.link;
	return 0;
}

static int monitor(struct supervisor_monitor *arg)
{
	if (arg->pid && stranger(arg->fd))
		return -ESRCH;
	kernel.monitored = arg->pid;
	kernel.monitors++;
	arg->out_ref = last_ref++;
	return 0;
}

static int on_device(unsigned long request, void *arg)
{
	switch (request) {
	case SUPERVISOR_MAILBOX_CREATE:
		return create(arg);
	case SUPERVISOR_OPEN:
		return opened(arg);
	case SUPERVISOR_CHILD_REPORT:
		return report(arg);
	case SUPERVISOR_ALIAS_SEND:
		return alias_send(arg);
	case SUPERVISOR_TRAP_EXIT:
		kernel.trapping = ((struct supervisor_trap_exit *)arg)->mailbox_fd;
		return 0;
	case SUPERVISOR_PROCESS_LINK:
		return process_link(arg);
	case SUPERVISOR_PROCESS_UNLINK:
		kernel.unlinks++;
		return 0;
	default:
		return -ENOTTY;
	}
}

/* ---- the mailbox ------------------------------------------------------ */

static int status(const struct box *box, struct supervisor_mailbox_status *arg)
{
	arg->out_owner_pid = box->owned ? kernel.pid : 0;
	arg->out_survive = box->survive;
	for (const struct message *msg = box->first; msg; msg = msg->next)
		arg->out_messages++;
	return 0;
}

static int on_mailbox(int fd, unsigned long request, void *arg)
{
	struct supervisor_mailbox_recv *recv = arg;
	struct supervisor_mailbox_send *send = arg;
	struct supervisor_call_reply *answer = arg;
	struct supervisor_ref *ref = arg;
	struct box *box = box_of(fd);
	int ret;

	if (!box)
		return -EBADF;
	switch (request) {
	case SUPERVISOR_MAILBOX_RECV:
		return take(box, recv->flags, recv->ref, at(recv->buf),
			    &recv->buf_len, &recv->out_count,
			    (const uint64_t *)&recv->deadline);
	case SUPERVISOR_MAILBOX_SEND:
		ret = room(box, send->len, (const uint64_t *)&send->deadline,
			   &send->out_limit, &send->out_max);
		if (!ret)
			box_put_data(box, SUPERVISOR_MSG_CAST, 0,
				     at(send->buf), send->len);
		return ret;
	case SUPERVISOR_MAILBOX_CALL:
		return call(box, arg);
	case SUPERVISOR_CALL_REPLY:
		return reply(answer->from, at(answer->buf), answer->len);
	case SUPERVISOR_CALL_REPLY_RECV:
		return reply_recv(box, arg);
	case SUPERVISOR_CALL_START:
		return started(box, arg);
	case SUPERVISOR_CALL_CANCEL:
		return cancel(arg);
	case SUPERVISOR_MAILBOX_OWN:
		if (((struct supervisor_mailbox_own *)arg)->flags &
		    SUPERVISOR_OWN_F_VACANT && box->owned &&
		    kernel.pid != getpid())
			return -EBUSY;
		box->owned = true;
		return 0;
	case SUPERVISOR_MAILBOX_STATUS:
		return status(box, arg);
	case SUPERVISOR_MONITOR:
		return monitor(arg);
	case SUPERVISOR_DEMONITOR:
		ref->out_found = 1;
		return 0;
	case SUPERVISOR_ALIAS:
		aliases[last_ref] = index_of(box) + 1;
		((struct supervisor_alias *)arg)->out_ref = last_ref++;
		return 0;
	case SUPERVISOR_UNALIAS:
		ref->out_found = ref->ref < CALLS && aliases[ref->ref];
		if (ref->out_found)
			aliases[ref->ref] = 0;
		return 0;
	default:
		return -ENOTTY;
	}
}

int __wrap_sup_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = kernel.test ? kernel.test(fd, request, arg) : -ENOTTY;

	if (ret != -ENOTTY)
		return ret;
	pthread_mutex_lock(&lock);
	ret = fd == kernel.device ? on_device(request, arg) :
				    on_mailbox(fd, request, arg);
	pthread_mutex_unlock(&lock);
	return ret;
}

void __wrap_sup_close(int fd)
{
	pthread_mutex_lock(&lock);
	if (box_of(fd)) {
		if (!--box_of(fd)->files)
			box_lose_owner(box_of(fd), true);
		files[fd] = 0;
	}
	pthread_mutex_unlock(&lock);
	if (fd >= 0)
		close(fd);
}

/* ---- for the tests ---------------------------------------------------- */

void kernel_init(void)
{
	kernel_reset();
	kernel.device = eventfd(0, EFD_CLOEXEC);
}

void kernel_reset(void)
{
	int device = kernel.device;

	memset(&kernel, 0, sizeof(kernel));
	kernel.device = device;
	kernel.uid = geteuid();
	kernel.pid = getpid();
	kernel.trapping = -1;
}

void kernel_kill_owner(int mailbox)
{
	pthread_mutex_lock(&lock);
	box_lose_owner(box_of(mailbox), false);
	pthread_mutex_unlock(&lock);
}

void kernel_post(int mailbox, const void *msg, size_t size)
{
	pthread_mutex_lock(&lock);
	box_put(box_of(mailbox), msg, size);
	pthread_mutex_unlock(&lock);
}
