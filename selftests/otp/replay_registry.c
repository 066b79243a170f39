// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a registry scenario on /dev/supervisor. This process makes the registries,
 * listens, and asks; those of the scenario register, and die. What it writes is what
 * the kernel says: a name that it finds is that of a process by its pid alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "replay.h"
#include "replay_registry.h"
#include "supervisor.h"

#define MAILBOX_BYTES (1U << 16)

/* So little that most selections take several turns, which the library would not need. */
#define SELECT_BYTES 256

struct registry {
	const char *name;
	int fd;
	uint64_t id;
	uint32_t keys;			/* SUPERVISOR_KEYS_*, as the kernel has it */
	uint32_t partitions;
	struct registry *next;
};

struct world {
	const struct reg_scenario *scenario;
	int device;
	int mailbox;
	struct registry *registries;
	struct reg_process *processes;	/* the latest incarnations first */
};

static bool fail(const struct world *world, const struct reg_command *command, int error)
{
	fprintf(stderr, "%s:%u: %s: %s\n", world->scenario->path, command->line, command->text,
		strerror(-error));
	return false;
}

static int world_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static __aligned_u64 pointer(const void *pointer)
{
	return (uintptr_t)pointer;
}

/*
 * Finding
 */

static struct registry *world_registry(const struct world *world, const char *name)
{
	struct registry *registry = world->registries;

	while (registry && strcmp(registry->name, name) != 0)
		registry = registry->next;
	return registry;
}

/* The last that bore the name; NULL if none did. */
static struct reg_process *world_process(const struct world *world, const char *name)
{
	struct reg_process *process = world->processes;

	while (process && strcmp(process->name, name) != 0)
		process = process->next;
	return process;
}

static struct reg_process *world_running(const struct world *world, const char *name)
{
	struct reg_process *process = world_process(world, name);

	return process && process->socket >= 0 ? process : NULL;
}

static const char *world_pid_name(const struct world *world, pid_t pid)
{
	const struct reg_process *process = world->processes;

	while (process && process->pid != pid)
		process = process->next;
	return process ? process->name : "?";
}

/*
 * Lists, which have no order that anybody promises.
 */

struct list {
	char **items;
	size_t nr_items;
};

__attribute__((format(printf, 2, 3)))
static void list_add(struct list *list, const char *format, ...)
{
	va_list args;

	list->items = xgrow(list->items, list->nr_items, sizeof(list->items[0]));
	va_start(args, format);
	if (vasprintf(&list->items[list->nr_items++], format, args) < 0)
		abort();
	va_end(args);
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_say(struct list *list, FILE *result)
{
	if (list->nr_items)
		qsort(list->items, list->nr_items, sizeof(list->items[0]), compare_items);
	else
		fputs("none", result);
	for (size_t i = 0; i < list->nr_items; i++) {
		fprintf(result, "%s%s", i ? " " : "", list->items[i]);
		free(list->items[i]);
	}
	free(list->items);
}

/*
 * Asking
 */

/* What is told of an entry. */
enum told {
	TOLD_ALL,
	TOLD_OWNER,			/* its process and its value */
	TOLD_KEY,
	TOLD_VALUE
};

static void add_entry(const struct world *world, struct list *list, enum told told,
		      const struct supervisor_registry_entry *entry)
{
	const char *bytes = (const char *)entry;
	const char *key = bytes + entry->key_offset;
	const char *process = world_pid_name(world, entry->pid);
	const char *value = entry->value_offset ? bytes + entry->value_offset : "";

	switch (told) {
	case TOLD_ALL:
		list_add(list, "%s:%s:%s", key, process, value);
		break;
	case TOLD_OWNER:
		list_add(list, "%s:%s", process, value);
		break;
	case TOLD_KEY:
		list_add(list, "%s", key);
		break;
	case TOLD_VALUE:
		list_add(list, "%s", value);
		break;
	}
}

/* Add all that @arg selects to the list, a few at a time. */
static int select_entries(const struct world *world, int fd, struct supervisor_select *arg,
			  enum told told, struct list *list)
{
	size_t room = SELECT_BYTES;
	char *buf = xcalloc(1, room);
	int ret;

	memset(arg->cursor, 0, sizeof(arg->cursor));
	do {
		arg->buf = pointer(buf);
		arg->buf_len = room;
		ret = world_ioctl(fd, SUPERVISOR_SELECT, arg);
		if (ret == -EMSGSIZE && arg->buf_len > room) {
			room = arg->buf_len;
			buf = realloc(buf, room);
			if (!buf)
				abort();
			ret = 0;
			arg->out_more = 1;
			continue;
		}
		for (size_t at = 0, n = 0; !ret && n < arg->out_count; n++) {
			const struct supervisor_registry_entry *entry = (void *)(buf + at);

			add_entry(world, list, told, entry);
			at += entry->size;
		}
	} while (!ret && arg->out_more);
	free(buf);
	return ret;
}

/* What a command selects. */
static void selection(const struct reg_command *command, struct supervisor_select *arg)
{
	*arg = (struct supervisor_select){ .size = sizeof(*arg) };
	if (command->key) {
		arg->flags |= SUPERVISOR_SELECT_F_KEY;
		arg->key = pointer(command->key);
		arg->key_len = strlen(command->key);
	}
	if (command->value) {
		arg->flags |= SUPERVISOR_SELECT_F_VALUE;
		arg->value = pointer(command->value);
		arg->value_len = strlen(command->value);
	}
}

static int play_select(const struct world *world, const struct registry *registry,
		       const struct reg_command *command, FILE *result)
{
	struct supervisor_select arg;
	struct list list = { .items = NULL };
	int ret;

	selection(command, &arg);
	ret = select_entries(world, registry->fd, &arg, command->key ? TOLD_OWNER : TOLD_ALL,
			     &list);
	list_say(&list, result);
	return ret;
}

/* One partition after the other, as OTP calls back. */
static int play_dispatch(const struct world *world, const struct registry *registry,
			 const struct reg_command *command, FILE *result)
{
	struct supervisor_select arg;
	struct list list = { .items = NULL };
	int ret = 0;

	for (uint32_t n = 0; !ret && n < registry->partitions; n++) {
		selection(command, &arg);
		arg.flags |= SUPERVISOR_SELECT_F_PARTITION;
		arg.partition = n;
		ret = select_entries(world, registry->fd, &arg, TOLD_OWNER, &list);
	}
	list_say(&list, result);
	return ret;
}

/* The keys of a process, or its values of a key; nobody has asked for its life. */
static int play_process(const struct world *world, const struct registry *registry,
			const struct reg_command *command, FILE *result)
{
	const struct reg_process *process = world_process(world, command->process);
	struct supervisor_select arg;
	struct list list = { .items = NULL };
	int ret = 0;

	if (process) {
		selection(command, &arg);
		arg.flags |= SUPERVISOR_SELECT_F_PID;
		if (command->verb == REG_KEYS)
			arg.flags |= SUPERVISOR_SELECT_F_NO_VALUES;
		arg.pid = process->pid;
		ret = select_entries(world, registry->fd, &arg,
				     command->verb == REG_KEYS ? TOLD_KEY : TOLD_VALUE, &list);
	}
	list_say(&list, result);
	return ret;
}

static int play_count(const struct world *world, const struct registry *registry,
		      const struct reg_command *command, FILE *result)
{
	struct supervisor_select arg;
	int ret;

	(void)world;
	selection(command, &arg);
	ret = world_ioctl(registry->fd, SUPERVISOR_COUNT, &arg);
	fprintf(result, "%llu", (unsigned long long)arg.out_count);
	return ret;
}

/* The one entry of a unique key. */
static int play_lookup(const struct world *world, const struct registry *registry,
		       const struct reg_command *command, FILE *result)
{
	SUP_OPTS(sup_result, found);
	char value[SUPERVISOR_VALUE_MAX];
	size_t len = sizeof(value);
	int ret;

	if (registry->keys != SUPERVISOR_KEYS_UNIQUE) {
		if (command->verb == REG_LOOKUP)
			return play_select(world, registry, command, result);
		/* Ours would be the first entry; OTP's raises. */
		fputs("badarg", result);
		return 0;
	}
	ret = sup_lookup(registry->fd, command->key, strlen(command->key), value, &len, &found);
	if (ret == -ENOENT)
		fputs(command->verb == REG_LOOKUP ? "none" : "undefined", result);
	else if (command->verb == REG_LOOKUP)
		fprintf(result, "%s:%.*s", world_pid_name(world, found.pid), (int)len, value);
	else
		fputs(world_pid_name(world, found.pid), result);
	return ret == -ENOENT ? 0 : ret;
}

static int play_meta(const struct world *world, const struct registry *registry,
		     const struct reg_command *command, FILE *result)
{
	size_t key_len = strlen(command->key);
	char value[SUPERVISOR_VALUE_MAX];
	size_t len = sizeof(value);
	int ret;

	(void)world;
	if (command->verb == REG_PUT_META) {
		fputs("ok", result);
		return sup_meta_put(registry->fd, command->key, key_len, command->value,
				    strlen(command->value), NULL);
	}
	if (command->verb == REG_DELETE_META) {
		/* OTP deletes what is not there, too. */
		fputs("ok", result);
		ret = sup_meta_delete(registry->fd, command->key, key_len, NULL);
	} else {
		ret = sup_meta_get(registry->fd, command->key, key_len, value, &len, NULL);
		if (ret < 0)
			fputs("error", result);
		else
			fprintf(result, "ok %.*s", (int)len, value);
	}
	return ret == -ENOENT ? 0 : ret;
}

static bool play_ask(struct world *world, const struct reg_command *command, FILE *result)
{
	static int (*const asks[])(const struct world *world, const struct registry *registry,
				   const struct reg_command *command, FILE *result) = {
		[REG_LOOKUP] = play_lookup,
		[REG_MATCH] = play_select,
		[REG_DISPATCH] = play_dispatch,
		[REG_VALUES] = play_process,
		[REG_KEYS] = play_process,
		[REG_COUNT] = play_count,
		[REG_COUNT_MATCH] = play_count,
		[REG_SELECT] = play_select,
		[REG_WHEREIS] = play_lookup,
		[REG_PUT_META] = play_meta,
		[REG_META] = play_meta,
		[REG_DELETE_META] = play_meta,
	};
	const struct registry *registry = world_registry(world, command->registry);
	int ret;

	if (registry) {
		ret = asks[command->verb](world, registry, command, result);
	} else {
		ret = reg_open(world->device, command->registry, O_RDONLY);
		if (ret == -ENOENT) {
			fputs("badarg", result);
			ret = 0;
		} else if (ret >= 0) {
			close(ret);
			ret = -EEXIST;
		}
	}
	return ret >= 0 || fail(world, command, ret);
}

/*
 * Acting
 */

static bool play_act(struct world *world, const struct reg_command *command, FILE *result)
{
	const struct reg_process *process = world_running(world, command->process);
	struct reg_answer answer;

	if (!process) {
		fputs("not_running", result);
		return true;
	}
	if (!reg_process_act(process, world->scenario, command, &answer))
		return false;
	if (!answer.known) {
		fputs("badarg", result);
		return true;
	}
	switch (command->verb) {
	case REG_REGISTER:
		if (answer.error == -EEXIST) {
			fprintf(result, "error already_registered %s",
				world_pid_name(world, answer.pid));
			return true;
		}
		fputs("ok", result);
		break;
	case REG_UPDATE_VALUE:
		if (answer.error == -EINVAL)
			fputs("badarg", result);
		else if (answer.error < 0)
			fputs("error", result);
		else
			fprintf(result, "%s %.*s", command->value, (int)answer.len, answer.old);
		if (answer.error == -EINVAL || answer.error == -ENOENT || answer.error == -EPERM)
			return true;
		break;
	default:
		/* OTP's unregister is content with nothing to do. */
		fputs("ok", result);
		if (answer.error == -ENOENT || answer.error == -EPERM)
			return true;
		break;
	}
	return answer.error >= 0 || fail(world, command, answer.error);
}

static bool play_proc(struct world *world, const struct reg_command *command, FILE *result)
{
	bool already = false;

	for (size_t i = 0; i < command->nr_names; i++)
		already |= world_running(world, command->names[i]) != NULL;
	if (!already)
		fputs("ok", result);
	for (size_t i = 0; i < command->nr_names; i++) {
		struct reg_process *process = world_running(world, command->names[i]);

		if (already)
			fprintf(result, "%s%s", i ? " " : "", process ? "already_running" : "ok");
		if (process)
			continue;
		process = xcalloc(1, sizeof(*process));
		process->name = command->names[i];
		if (!reg_process_start(process, world->scenario)) {
			free(process);
			return false;
		}
		process->next = world->processes;
		world->processes = process;
	}
	return true;
}

static bool play_die(struct world *world, const struct reg_command *command, FILE *result)
{
	struct reg_process *process = world_running(world, command->process);

	fputs(process ? "ok" : "not_running", result);
	return !process || reg_process_end(process, world->scenario, command) ||
	       fail(world, command, -ECHILD);
}

static int world_listen(const struct world *world, int registry)
{
	struct supervisor_listen arg = { .size = sizeof(arg), .mailbox_fd = world->mailbox };

	return world_ioctl(registry, SUPERVISOR_LISTEN, &arg);
}

static bool play_registry(struct world *world, const struct reg_command *command, FILE *result)
{
	char name[SUPERVISOR_NAME_MAX];
	SUP_OPTS(sup_registry_opts, options,
		.name = name,
		.keys = command->keys,
		.partitions = command->partitions,
	);
	SUP_OPTS(sup_result, made);
	struct supervisor_registry_status status = { .size = sizeof(status) };
	struct registry *registry;
	int fd, ret;

	snprintf(name, sizeof(name), "/%s", command->registry);
	fd = sup_registry_create(world->device, &options, &made);
	if (fd == -EEXIST || fd == -EINVAL) {
		fputs(fd == -EINVAL ? "badarg" : "error already_started", result);
		return true;
	}
	if (fd < 0)
		return fail(world, command, fd);
	registry = xcalloc(1, sizeof(*registry));
	registry->name = command->registry;
	registry->fd = fd;
	registry->id = made.id;
	registry->next = world->registries;
	world->registries = registry;

	ret = sup_registry_status(registry->fd, &status);
	registry->keys = status.out_keys;
	registry->partitions = status.out_partitions;
	if (!ret && command->listener)
		ret = world_listen(world, registry->fd);
	fputs("ok", result);
	return ret == 0 || fail(world, command, ret);
}

/*
 * Listening: what changed is in the mailbox when the call that did it returns.
 */

static void say_event(const struct world *world, const struct supervisor_msg *msg)
{
	const struct supervisor_msg_registry *event = (const void *)msg;
	const struct registry *registry = world->registries;
	const char *key = (const char *)msg + event->text_offset;
	const char *process = world_pid_name(world, msg->pid);

	while (registry && registry->id != event->registry)
		registry = registry->next;
	if (event->event == SUPERVISOR_REGISTRY_REGISTERED)
		printf("register %s %s %s %s\n", registry ? registry->name : "?", process, key,
		       key + event->key_len + 1);
	else
		printf("%s %s %s %s\n",
		       event->event == SUPERVISOR_REGISTRY_UNREGISTERED ? "unregister" : "died",
		       registry ? registry->name : "?", process, key);
}

static bool say_events(const struct world *world, const struct reg_command *command)
{
	uint64_t bytes[2 * (SUPERVISOR_VALUE_MAX + SUPERVISOR_KEY_MAX) / sizeof(uint64_t)];

	for (;;) {
		const struct supervisor_msg *msg = NULL;
		size_t len = sizeof(bytes);
		int ret = sup_mailbox_recv(world->mailbox, bytes, &len, 0, 0);

		if (ret == -EAGAIN)
			return true;
		if (ret < 0)
			return fail(world, command, ret);
		while ((msg = sup_msg_next(bytes, len, msg))) {
			if (msg->type != SUPERVISOR_MSG_REGISTRY)
				return fail(world, command, -EPROTO);
			say_event(world, msg);
		}
	}
}

/*
 * Playing
 */

static bool play_event(struct world *world, const struct reg_command *command, FILE *result)
{
	switch (command->verb) {
	case REG_REGISTRY:
		return play_registry(world, command, result);
	case REG_PROC:
		return play_proc(world, command, result);
	case REG_EXIT:
	case REG_CRASH:
	case REG_KILL:
		return play_die(world, command, result);
	case REG_REGISTER:
	case REG_UNREGISTER:
	case REG_UNREGISTER_MATCH:
	case REG_UPDATE_VALUE:
		return play_act(world, command, result);
	default:
		return play_ask(world, command, result);
	}
}

static bool play_command(struct world *world, const struct reg_command *command)
{
	char *text = NULL;
	size_t len;
	FILE *result = open_memstream(&text, &len);
	bool ok;

	if (!result)
		abort();
	printf("> %s\n", command->text);
	ok = play_event(world, command, result) && say_events(world, command);
	fclose(result);
	if (ok)
		printf("= %s\n", text);
	free(text);
	return ok;
}

static bool world_open(struct world *world)
{
	int ret;

	world->mailbox = -1;
	world->device = sup_device_open();
	ret = world->device;
	if (ret >= 0) {
		world->mailbox = sup_mailbox_create(world->device, MAILBOX_BYTES, NULL);
		ret = world->mailbox;
	}
	if (ret >= 0)
		return true;
	fprintf(stderr, "%s: /dev/supervisor: %s\n", world->scenario->path, strerror(-ret));
	return false;
}

/* Its names are free for the next one: nobody is left who has a file of a registry. */
static void world_close(struct world *world)
{
	struct reg_process *process;
	struct registry *registry;

	for (process = world->processes; process; process = process->next)
		reg_process_kill(process);
	while ((process = take_first(world->processes)))
		free(process);
	while ((registry = take_first(world->registries))) {
		close(registry->fd);
		free(registry);
	}
	if (world->mailbox >= 0)
		close(world->mailbox);
	if (world->device >= 0)
		close(world->device);
}

/* They take turns: to wake another processor for each would be most of the work. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

bool reg_play_file(const char *path)
{
	struct reg_scenario scenario;
	struct world world = { .scenario = &scenario };
	bool ok;

	if (!reg_scenario_read(&scenario, path))
		return false;
	stay_here();
	ok = world_open(&world);
	for (size_t i = 0; ok && i < scenario.nr_commands; i++)
		ok = play_command(&world, &scenario.commands[i]);
	world_close(&world);
	reg_scenario_free(&scenario);
	return ok;
}
