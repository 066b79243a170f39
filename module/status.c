// SPDX-License-Identifier: GPL-2.0
/*
 * status - looking at supervisors: records of children, snapshots, lists of
 * names, fdinfo.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "engine.h"
#include "registry.h"
#include "supervisor.h"

#define STATUS_MAX (16U << 20)

static bool child_is_dead(struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? sup_member(child)->dynamic.dead :
					    sup_static_child(child)->policy.dead;
}

static u32 child_status_flags(struct sup_child *child)
{
	return (child->is_supervisor ? SUPERVISOR_STATUS_F_SUPERVISOR : 0) |
	       (child_is_dead(child) ? SUPERVISOR_STATUS_F_DEAD : 0) |
	       (child->exited ? SUPERVISOR_STATUS_F_EXITED : 0) |
	       (child->start_failed ? SUPERVISOR_STATUS_F_START_FAILED : 0) |
	       (child->unkillable ? SUPERVISOR_STATUS_F_UNKILLABLE : 0);
}

/* Its key, if it is to have one. */
static const struct sup_key_name *child_key(struct sup_child *child)
{
	const struct sup_reservation *reservation = sup_child_reservation(child);

	return reservation ? sup_reservation_key(reservation) : NULL;
}

static size_t child_status_size(struct sup_child *child)
{
	const struct sup_key_name *key = child_key(child);

	return ALIGN(sizeof(struct supervisor_child_status) + sup_child_name(child)->len + 1 +
		     (key ? key->len + 1 : 0), 8);
}

static void child_status_write(struct sup_child *child, struct pid_namespace *ns,
			       struct supervisor_child_status *status)
{
	const struct sup_child_spec *spec = sup_child_decides(child);
	const struct sup_supervisor *sub = sup_child_sub(child);
	const struct sup_key_name *key = child_key(child);
	const struct sup_name *name = sup_child_name(child);
	enum sup_child_state state = sup_child_state(child);

	*status = (struct supervisor_child_status){
		.size = child_status_size(child),
		.flags = child_status_flags(child),
		.id = child->id,
		.state = state,
		.type = spec->type,
		.restart = spec->restart,
		.incarnation = sup_child_incarnation(child),
		.last_reason = child->last_reason,
		.last_status = child->last_status,
		.last_error = child->last_error,
		.since_ns = child->since_ns,
		.supervisor = sub ? sub->object.id : 0,
		.name_len = name->len,
		.name_offset = sizeof(*status),
	};
	if (!sup_is_dynamic(child->sup))
		status->last_exit_ns = sup_static_child(child)->last_exit_ns;
	if (child->attached && (state == SUP_CHILD_STARTING || state == SUP_CHILD_RUNNING ||
				state == SUP_CHILD_STOPPING))
		status->pid = pid_nr_ns(sup_child_pid(child), ns);
	memset(status + 1, 0, status->size - sizeof(*status));
	memcpy(status + 1, name->bytes, name->len);
	if (key) {
		status->registry = sup_reservation_registry(sup_child_reservation(child));
		status->key_len = key->len;
		status->key_offset = status->name_offset + status->name_len + 1;
		memcpy((u8 *)status + status->key_offset, key->bytes, key->len);
	}
}

/**
 * sup_status_children - write a record of each child
 * @sup: an ordered supervisor
 * @ns: in which processes are numbered
 * @reverse: in reverse start order
 * @buf: where to
 * @len: its bytes; nothing is written past it
 * @count: the children
 *
 * Context: holds S.
 * Return: the bytes that all records have.
 */
size_t sup_status_children(struct sup_supervisor *sup, struct pid_namespace *ns, bool reverse,
			   void *buf, size_t len, u32 *count)
{
	struct list_head *children = &sup->policy.children;
	struct list_head *at;
	size_t done = 0;

	lockdep_assert_held(&sup->lock);
	*count = 0;
	for (at = reverse ? children->prev : children->next; at != children;
	     at = reverse ? at->prev : at->next) {
		struct sup_child *child = sup_listed_child(sup, at);
		size_t size = child_status_size(child);

		if (done + size <= len)
			child_status_write(child, ns, buf + done);
		done += size;
		++*count;
	}
	return done;
}

/* Where a list goes on: after the member of that number, if it is there still. */
static struct list_head *members_after(struct sup_supervisor *sup, u64 cursor)
{
	struct sup_child *child = cursor ? sup_member_find(sup, cursor) : NULL;
	struct list_head *at;

	/* One that waits for its turn, or is about to be forgotten, is in no list. */
	if (child && sup_child_state(child) != SUP_CHILD_UNDEFINED)
		return sup_member(child)->dynamic.node.next;
	list_for_each(at, &sup->dynamic.children)
		if (sup_listed_child(sup, at)->id > cursor)
			break;
	return at;
}

/**
 * sup_status_members - write records of children
 * @sup: a dynamic supervisor
 * @ns: in which processes are numbered
 * @cursor: after which number; set to the last one written, 0 when all were
 * @buf: where to
 * @len: its bytes; nothing is written past it
 * @count: the records
 *
 * Context: holds S.
 * Return: the bytes written; more than @len, and @cursor as it was, when there is
 *	not room for one.
 */
size_t sup_status_members(struct sup_supervisor *sup, struct pid_namespace *ns, u64 *cursor,
			  void *buf, size_t len, u32 *count)
{
	struct list_head *at = members_after(sup, *cursor);
	size_t done = 0;

	lockdep_assert_held(&sup->lock);
	*count = 0;
	for (; at != &sup->dynamic.children; at = at->next) {
		struct sup_child *child = sup_listed_child(sup, at);
		size_t size = child_status_size(child);

		if (done + size > len)
			return done ?: size;
		child_status_write(child, ns, buf + done);
		done += size;
		*cursor = child->id;
		++*count;
	}
	*cursor = 0;
	return done;
}

/**
 * sup_status_count - count children as OTP's count_children
 * @sup: the supervisor
 * @count: what is counted
 *
 * Context: holds S.
 */
void sup_status_count(struct sup_supervisor *sup, struct supervisor_count *count)
{
	struct sup_policy_child *child;

	lockdep_assert_held(&sup->lock);
	*count = (struct supervisor_count){};
	if (sup_is_dynamic(sup)) {
		const struct sup_dynamic *dynamic = &sup->dynamic;

		count->specs = dynamic->flags.simple ? 1 : dynamic->nr_children;
		count->active = dynamic->nr_children - dynamic->nr_restarting;
		count->supervisors = dynamic->nr_supervisors;
		count->workers = dynamic->nr_children - dynamic->nr_supervisors;
		return;
	}
	list_for_each_entry(child, &sup->policy.children, order) {
		count->specs++;
		if (child->state == SUP_CHILD_RUNNING && !child->dead)
			count->active++;
		if (child->spec.type == SUP_SUPERVISOR)
			count->supervisors++;
		else
			count->workers++;
	}
}

/* Where the key and value go, behind the blob; the bytes that there are then. */
static size_t spec_place_register(const struct sup_reservation *reservation,
				  struct supervisor_child_spec *out, size_t size)
{
	const struct sup_key_name *key;

	if (!reservation)
		return size;
	key = sup_reservation_key(reservation);
	out->flags |= SUPERVISOR_CHILD_F_REGISTER;
	out->registry_fd = -1;
	out->out_registry = sup_reservation_registry(reservation);
	out->register_key_len = key->len;
	out->register_key = size;
	out->register_value = out->register_key + key->len + 1;
	sup_reservation_value(reservation, &out->register_value_len);
	return ALIGN(out->register_value + out->register_value_len + 1, 8);
}

static void spec_write_register(const struct sup_reservation *reservation,
				const struct supervisor_child_spec *out, void *buf)
{
	u32 len;

	if (!reservation)
		return;
	memcpy(buf + out->register_key, sup_reservation_key(reservation)->bytes,
	       out->register_key_len);
	memcpy(buf + out->register_value, sup_reservation_value(reservation, &len),
	       out->register_value_len);
}

/* What a spec consists of, wherever it is kept. */
struct spec_parts {
	const struct sup_child_spec *decides;
	const struct sup_name *name;
	const struct sup_reservation *reservation;
	const void *blob;
	u32 blob_len;
	u8 readiness;
	u8 signal_whom;
	u8 stop_signal;
};

static size_t spec_write(const struct spec_parts *parts, void *buf, size_t len)
{
	const struct sup_child_spec *spec = parts->decides;
	struct supervisor_child_spec out = {
		.size = sizeof(out),
		.flags = spec->retry.uncounted ? SUPERVISOR_CHILD_F_RETRY_UNCOUNTED : 0,
		.restart = spec->restart,
		.significant = spec->significant,
		.type = spec->type,
		.readiness = parts->readiness,
		.shutdown_ms = spec->shutdown_ms,
		.stop_signal = parts->stop_signal,
		.signal_whom = parts->signal_whom,
		.start_timeout_ms = spec->start_timeout_ms,
		.retry_min_ms = spec->retry.min_ms,
		.retry_max_ms = spec->retry.max_ms,
		.retry_factor_pct = spec->retry.factor_pct,
		.retry_jitter_pct = spec->retry.jitter_pct,
		.retry_reset_after_ms = spec->retry.reset_after_ms,
		.supervisor_fd = -1,
		.id_len = parts->name->len,
		.blob_len = parts->blob_len,
		.id = sizeof(out),
	};
	size_t size;

	out.blob = ALIGN(out.id + out.id_len + 1, 8);
	size = spec_place_register(parts->reservation, &out, out.blob + ALIGN(out.blob_len, 8));
	if (size > len)
		return size;
	memset(buf, 0, size);
	memcpy(buf, &out, sizeof(out));
	memcpy(buf + out.id, parts->name->bytes, out.id_len);
	memcpy(buf + out.blob, parts->blob, out.blob_len);
	spec_write_register(parts->reservation, &out, buf);
	return size;
}

static size_t shared_spec_write(const struct sup_spec *spec,
				const struct sup_reservation *reservation, void *buf, size_t len)
{
	if (spec->template)
		spec = spec->template;
	return spec_write(&(struct spec_parts){
		.decides = &spec->decides,
		.name = &spec->name,
		.reservation = reservation,
		.blob = spec->blob,
		.blob_len = spec->blob_len,
		.readiness = spec->readiness,
		.signal_whom = spec->signal_whom,
		.stop_signal = spec->stop_signal,
	}, buf, len);
}

/**
 * sup_status_spec - write a child's spec, with id, blob, key and value
 * @child: the child
 * @buf: where to
 * @len: its bytes; nothing is written when that is not enough
 *
 * Context: holds S.
 * Return: the bytes that it has.
 */
size_t sup_status_spec(struct sup_child *child, void *buf, size_t len)
{
	const struct sup_static_child *member = sup_static_child(child);

	if (sup_is_dynamic(child->sup))
		return shared_spec_write(sup_member_spec(child), sup_child_reservation(child), buf,
					 len);
	return spec_write(&(struct spec_parts){
		.decides = &member->policy.spec,
		.name = &member->policy.name,
		.reservation = member->reservation,
		.blob = member->blob,
		.blob_len = member->blob_len,
		.readiness = child->readiness,
		.signal_whom = child->signal_whom,
		.stop_signal = child->stop_signal,
	}, buf, len);
}

/**
 * sup_status_template - write what all children of a supervisor are like
 * @sup: a dynamic supervisor that has a template
 * @buf: as for sup_status_spec()
 * @len: likewise
 *
 * Context: any.
 * Return: the bytes that it has.
 */
size_t sup_status_template(struct sup_supervisor *sup, void *buf, size_t len)
{
	return shared_spec_write(sup->template, sup->template->reservation, buf, len);
}

static void status_write_locked(struct sup_supervisor *sup, struct supervisor_status *cmd)
{
	const struct sup_flags *flags = sup_engine_flags(sup);
	u64 hold_until_ns = sup_hold_deadline(sup);

	lockdep_assert_held(&sup->lock);
	cmd->out_id = sup->object.id;
	cmd->out_state = sup->state;
	cmd->out_suspended = sup_engine_suspended(sup);
	cmd->out_strategy = flags->strategy;
	cmd->out_auto_shutdown = flags->auto_shutdown;
	cmd->out_intensity = flags->intensity;
	cmd->out_period = flags->period;
	cmd->out_restarts = sup_engine_restarts(sup);
	cmd->out_since_ns = sup->since_ns;
	cmd->out_owner_death = sup->owner_death;
	cmd->out_reason = sup->reason;
	cmd->out_down = sup->state == SUPERVISOR_STATE_DOWN ? sup->down :
							      SUPERVISOR_DOWN_NOT_YET;
	cmd->out_partitions = READ_ONCE(sup->partitions);
	cmd->out_partitions_max = sup->partitions_max;
	cmd->out_kind = sup->kind;
	cmd->out_spawn = sup->spawn;
	cmd->out_max_children = sup_is_dynamic(sup) ? sup->dynamic.flags.max_children : 0;
	cmd->out_hold_until_ns = hold_until_ns == SUP_NOT_HELD ? 0 : hold_until_ns;
	cmd->out_hold_ms = sup->hold_ms;
	cmd->__reserved = 0;
}

/**
 * sup_status - ioctl(SUPERVISOR_STATUS)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_status(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct supervisor_status *cmd = ucmd->cmd;
	u32 room = cmd->buf ? cmd->buf_len : 0;
	void *buf = NULL;
	int ret = 0;

	if (room > STATUS_MAX || (cmd->cursor && !sup_is_dynamic(sup)))
		return -EINVAL;
	if (room) {
		buf = kvzalloc(room, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
	}
	mutex_lock(&sup->lock);
	status_write_locked(sup, cmd);
	if (!sup_is_dynamic(sup)) {
		cmd->buf_len = sup_status_children(sup, ns, false, buf, room, &cmd->out_count);
	} else if (cmd->buf) {
		cmd->buf_len = sup_status_members(sup, ns, &cmd->cursor, buf, room,
						  &cmd->out_count);
	} else {
		cmd->buf_len = 0;
		cmd->out_count = sup_nr_children(sup);
	}
	mutex_unlock(&sup->lock);
	cmd->out_owner_pid = sup_owner_pid(&READ_ONCE(sup->root)->object, ns);
	if (cmd->buf && cmd->buf_len > room)
		ret = -EMSGSIZE;
	else if (cmd->buf && copy_to_user(u64_to_user_ptr(cmd->buf), buf, cmd->buf_len))
		ret = -EFAULT;
	kvfree(buf);
	return ret;
}

static size_t name_entry_size(const struct sup_object *object)
{
	return ALIGN(sizeof(struct supervisor_name_entry) + object->name.len + 2, 8);
}

static void name_entry_write_locked(struct sup_object *object, struct supervisor_name_entry *entry)
{
	struct user_namespace *ns = current_user_ns();
	char *name;

	lockdep_assert_held(&sup_names_lock);
	*entry = (struct supervisor_name_entry){
		.size = name_entry_size(object),
		.uid = from_kuid_munged(ns, object->name.uid),
		.gid = from_kgid_munged(ns, object->name.gid),
		.mode = object->name.mode,
		.id = object->id,
		.kind = sup_object_kind(object),
		.name_len = object->name.len + 1,
		.name_offset = sizeof(*entry),
	};
	name = (char *)(entry + 1);
	memset(name, 0, entry->size - sizeof(*entry));
	name[0] = '/';
	memcpy(name + 1, object->name.bytes, object->name.len);
}

/* The first named object of the caller's namespace after @cursor; a reference. */
static struct sup_object *name_after(u64 cursor, struct supervisor_name_entry *entry, size_t room,
				     size_t *size)
{
	struct sup_object *object, *found = NULL;

	mutex_lock(&sup_names_lock);
	list_for_each_entry(object, &sup_names, name.node) {
		if (object->id <= cursor || object->name.ns != current_user_ns())
			continue;
		found = object;
		sup_object_get(found);
		*size = name_entry_size(found);
		if (*size <= room)
			name_entry_write_locked(found, entry);
		break;
	}
	mutex_unlock(&sup_names_lock);
	return found;
}

/* The longest entry. */
#define NAME_ENTRY_MAX ALIGN(sizeof(struct supervisor_name_entry) + SUP_NAME_MAX + 2, 8)

/**
 * sup_status_list - ioctl(SUPERVISOR_LIST)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_status_list(struct sup_ucmd *ucmd)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct supervisor_list *cmd = ucmd->cmd;
	u8 __user *to = u64_to_user_ptr(cmd->buf);
	struct supervisor_name_entry *entry;
	struct sup_object *object;
	size_t done = 0, size;
	int ret = 0;

	cmd->out_count = 0;
	entry = kmalloc(NAME_ENTRY_MAX, GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	while ((object = name_after(cmd->cursor, entry, NAME_ENTRY_MAX, &size))) {
		bool fits = done + size <= cmd->buf_len && !fatal_signal_pending(current);

		cond_resched();

		if (fits) {
			entry->owner_pid = object->ops->owner_pid(object, ns);
			cmd->cursor = object->id;
		}
		sup_object_put(object);
		if (!fits) {
			ret = done ? 0 : -EMSGSIZE;
			break;
		}
		if (copy_to_user(to + done, entry, size)) {
			ret = -EFAULT;
			break;
		}
		done += size;
		cmd->out_count++;
	}
	if (!object)
		cmd->cursor = 0;
	cmd->buf_len = ret == -EMSGSIZE ? size : done;
	kfree(entry);
	return ret;
}

/**
 * sup_status_show_fdinfo - what /proc/PID/fdinfo shows of a supervisor
 * @seq: where to
 * @file: the supervisor's file
 *
 * Context: may sleep.
 */
void sup_status_show_fdinfo(struct seq_file *seq, struct file *file)
{
	static const char *const kinds[] = { "ordered", "dynamic", "simple_one_for_one" };
	static const char *const states[] = { "new", "starting", "up", "stopping", "down" };
	struct sup_supervisor *sup = sup_object_supervisor(sup_file_object(file));

	mutex_lock(&sup->lock);
	seq_printf(seq, "supervisor-id:\t%llu\n", sup->object.id);
	seq_printf(seq, "supervisor-kind:\t%s\n", kinds[sup->kind]);
	seq_printf(seq, "supervisor-state:\t%s\n", states[sup->state]);
	seq_printf(seq, "supervisor-suspended:\t%d\n", sup_engine_suspended(sup));
	seq_printf(seq, "supervisor-children:\t%u\n", sup_nr_children(sup));
	seq_printf(seq, "supervisor-restarts:\t%llu\n", sup_engine_restarts(sup));
	mutex_unlock(&sup->lock);
}
