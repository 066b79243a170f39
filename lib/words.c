// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * words.c - owns the words for the kernel's constants and those of server traces,
 * in OTP's spelling.
 */
#include "internal.h"

static const char *const strategy[] = {
	[SUPERVISOR_ONE_FOR_ONE] = "one_for_one",
	[SUPERVISOR_ONE_FOR_ALL] = "one_for_all",
	[SUPERVISOR_REST_FOR_ONE] = "rest_for_one",
};

static const char *const auto_shutdown[] = {
	[SUPERVISOR_AUTO_SHUTDOWN_NEVER] = "never",
	[SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT] = "any_significant",
	[SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT] = "all_significant",
};

static const char *const owner_death[] = {
	[SUPERVISOR_OWNER_DEATH_SHUTDOWN] = "shutdown",
	[SUPERVISOR_OWNER_DEATH_RELEASE] = "release",
	[SUPERVISOR_OWNER_DEATH_HOLD] = "hold",
};

static const char *const restart[] = {
	[SUPERVISOR_PERMANENT] = "permanent",
	[SUPERVISOR_TRANSIENT] = "transient",
	[SUPERVISOR_TEMPORARY] = "temporary",
};

static const char *const type[] = {
	[SUPERVISOR_CHILD_WORKER] = "worker",
	[SUPERVISOR_CHILD_SUPERVISOR] = "supervisor",
};

static const char *const readiness[] = {
	[SUPERVISOR_READINESS_EXEC] = "exec",
	[SUPERVISOR_READINESS_ATTACH] = "attach",
	[SUPERVISOR_READINESS_NOTIFY] = "notify",
};

static const char *const signal_whom[] = {
	[SUPERVISOR_SIGNAL_PROCESS] = "process",
	[SUPERVISOR_SIGNAL_GROUP] = "group",
};

static const char *const state[] = {
	[SUPERVISOR_STATE_NEW] = "new",
	[SUPERVISOR_STATE_STARTING] = "starting",
	[SUPERVISOR_STATE_UP] = "up",
	[SUPERVISOR_STATE_STOPPING] = "stopping",
	[SUPERVISOR_STATE_DOWN] = "down",
};

static const char *const child_state[] = {
	[SUPERVISOR_CHILD_UNDEFINED] = "undefined",
	[SUPERVISOR_CHILD_STARTING] = "starting",
	[SUPERVISOR_CHILD_RUNNING] = "running",
	[SUPERVISOR_CHILD_STOPPING] = "stopping",
	[SUPERVISOR_CHILD_RESTARTING] = "restarting",
};

static const char *const event[] = {
	[0] = "",
	[SUPERVISOR_EVENT_STARTED] = "started",
	[SUPERVISOR_EVENT_START_FAILED] = "start_failed",
	[SUPERVISOR_EVENT_START_IGNORED] = "start_ignored",
	[SUPERVISOR_EVENT_TERM] = "term",
	[SUPERVISOR_EVENT_KILL] = "kill",
	[SUPERVISOR_EVENT_EXITED] = "exited",
	[SUPERVISOR_EVENT_UNKILLABLE] = "unkillable",
	[SUPERVISOR_EVENT_ABANDONED] = "abandoned",
	[SUPERVISOR_EVENT_UP] = "up",
	[SUPERVISOR_EVENT_DOWN] = "down",
	[SUPERVISOR_EVENT_START_REQUEST] = "start_request",
	[SUPERVISOR_EVENT_HELD] = "held",
	[SUPERVISOR_EVENT_ADOPTED] = "adopted",
};

static const char *const exit_reason[] = {
	[SUPERVISOR_EXIT_NORMAL] = "normal",
	[SUPERVISOR_EXIT_SHUTDOWN] = "shutdown",
	[SUPERVISOR_EXIT_CRASH] = "crash",
	[SUPERVISOR_EXIT_KILLED] = "killed",
	[SUPERVISOR_EXIT_NOPROC] = "noproc",
};

static const char *const down[] = {
	[SUPERVISOR_DOWN_STOPPED] = "stopped",
	[SUPERVISOR_DOWN_INIT_FAILED] = "init_failed",
	[SUPERVISOR_DOWN_INTENSITY] = "intensity",
	[SUPERVISOR_DOWN_AUTO_SHUTDOWN] = "auto_shutdown",
	[SUPERVISOR_DOWN_RELEASED] = "released",
	[SUPERVISOR_DOWN_NOT_YET] = "not_yet",
};

static const char *const result[] = {
	[SUPERVISOR_RESULT_OK] = "ok",
	[SUPERVISOR_RESULT_OK_UNDEFINED] = "ok_undefined",
	[SUPERVISOR_RESULT_RUNNING] = "running",
	[SUPERVISOR_RESULT_RESTARTING] = "restarting",
	[SUPERVISOR_RESULT_NOT_FOUND] = "not_found",
	[SUPERVISOR_RESULT_ALREADY_STARTED] = "already_started",
	[SUPERVISOR_RESULT_ALREADY_PRESENT] = "already_present",
	[SUPERVISOR_RESULT_START_FAILED] = "start_failed",
	[SUPERVISOR_RESULT_INVALID] = "invalid",
	[SUPERVISOR_RESULT_NOPROC] = "noproc",
	[SUPERVISOR_RESULT_EXIT] = "exit",
	[SUPERVISOR_RESULT_NO_SPACE] = "no_space",
	[SUPERVISOR_RESULT_MAX_CHILDREN] = "max_children",
	[SUPERVISOR_RESULT_DYNAMIC] = "dynamic",
};

static const char *const invalid[] = {
	[SUPERVISOR_VALID] = "",
	[SUPERVISOR_INVALID_STRATEGY] = "strategy",
	[SUPERVISOR_INVALID_INTENSITY] = "intensity",
	[SUPERVISOR_INVALID_PERIOD] = "period",
	[SUPERVISOR_INVALID_AUTO_SHUTDOWN] = "auto_shutdown",
	[SUPERVISOR_INVALID_ID] = "id",
	[SUPERVISOR_INVALID_RESTART_TYPE] = "restart_type",
	[SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN] =
		"combination_auto_shutdown",
	[SUPERVISOR_INVALID_COMBINATION_RESTART] = "combination_restart",
	[SUPERVISOR_INVALID_SIGNIFICANT] = "significant",
	[SUPERVISOR_INVALID_CHILD_TYPE] = "child_type",
	[SUPERVISOR_INVALID_SHUTDOWN] = "shutdown",
	[SUPERVISOR_INVALID_RETRY] = "retry",
	[SUPERVISOR_INVALID_DUPLICATE_ID] = "duplicate_id",
	[SUPERVISOR_INVALID_MAX_CHILDREN] = "max_children",
};

static const char *const limit[] = {
	[SUPERVISOR_LIMIT_NONE] = "",
	[SUPERVISOR_LIMIT_SUPERVISORS] = "supervisors",
	[SUPERVISOR_LIMIT_CHILDREN] = "children",
	[SUPERVISOR_LIMIT_MAILBOXES] = "mailboxes",
	[SUPERVISOR_LIMIT_BYTES] = "bytes",
	[SUPERVISOR_LIMIT_NAMES] = "names",
	[SUPERVISOR_LIMIT_CALLS] = "calls",
	[SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN] = "supervisor_children",
	[SUPERVISOR_LIMIT_SUBSCRIPTIONS] = "subscriptions",
	[SUPERVISOR_LIMIT_REFS] = "refs",
	[SUPERVISOR_LIMIT_MAILBOX_MESSAGES] = "mailbox_messages",
	[SUPERVISOR_LIMIT_MAILBOX_BYTES] = "mailbox_bytes",
	[SUPERVISOR_LIMIT_KEPT_MAILBOXES] = "kept_mailboxes",
	[SUPERVISOR_LIMIT_REGISTRIES] = "registries",
	[SUPERVISOR_LIMIT_ENTRIES] = "entries",
	[SUPERVISOR_LIMIT_MAP_SLOTS] = "map_slots",
};

static const char *const kind[] = {
	[SUPERVISOR_KIND_SUPERVISOR] = "supervisor",
	[SUPERVISOR_KIND_MAILBOX] = "mailbox",
	[SUPERVISOR_KIND_REGISTRY] = "registry",
};

static const char *const message[] = {
	[0] = "",
	[SUPERVISOR_MSG_START] = "start",
	[SUPERVISOR_MSG_EVENT] = "event",
	[SUPERVISOR_MSG_ANSWER] = "answer",
	[SUPERVISOR_MSG_GAP] = "gap",
	[SUPERVISOR_MSG_CAST] = "cast",
	[SUPERVISOR_MSG_CALL] = "call",
	[SUPERVISOR_MSG_REPLY] = "reply",
	[SUPERVISOR_MSG_DOWN] = "down",
	[SUPERVISOR_MSG_EXIT] = "exit",
	[SUPERVISOR_MSG_REGISTRY] = "registry",
	[SUPERVISOR_MSG_CRASH] = "crash",
};

static const char *const decision[] = {
	[SUPERVISOR_CRASH_RESTART] = "restart",
	[SUPERVISOR_CRASH_RETRY] = "retry",
	[SUPERVISOR_CRASH_KEPT] = "kept",
	[SUPERVISOR_CRASH_DELETED] = "deleted",
	[SUPERVISOR_CRASH_GAVE_UP] = "gave_up",
	[SUPERVISOR_CRASH_AUTO_SHUTDOWN] = "auto_shutdown",
	[SUPERVISOR_CRASH_STOPPED] = "stopped",
	[SUPERVISOR_CRASH_START_FAILED] = "start_failed",
};

static const char *const alias[] = {
	[SUPERVISOR_ALIAS_NONE] = "none",
	[SUPERVISOR_ALIAS_EXPLICIT] = "explicit",
	[SUPERVISOR_ALIAS_REPLY] = "reply",
	[SUPERVISOR_ALIAS_DEMONITOR] = "demonitor",
	[SUPERVISOR_ALIAS_REPLY_DEMONITOR] = "reply_demonitor",
};

static const char *const down_of[] = {
	[SUPERVISOR_DOWN_OF_PROCESS] = "process",
	[SUPERVISOR_DOWN_OF_MAILBOX] = "mailbox",
	[SUPERVISOR_DOWN_OF_SUPERVISOR] = "supervisor",
};

static const char *const trace[] = {
	[0] = "",
	[SUP_TRACE_CALL] = "call",
	[SUP_TRACE_CAST] = "cast",
	[SUP_TRACE_INFO] = "info",
	[SUP_TRACE_TIMEOUT] = "timeout",
	[SUP_TRACE_CONTINUE] = "continue",
	[SUP_TRACE_HIBERNATE] = "hibernate",
	[SUP_TRACE_REPLY] = "reply",
	[SUP_TRACE_SYSTEM] = "system",
	[SUP_TRACE_STOP] = "stop",
};

static const char *const keys[] = {
	[SUPERVISOR_KEYS_UNIQUE] = "unique",
	[SUPERVISOR_KEYS_DUPLICATE] = "duplicate",
	[SUPERVISOR_KEYS_DUPLICATE_BY_KEY] = "duplicate_by_key",
};

static const char *const change[] = {
	[0] = "",
	[SUPERVISOR_REGISTRY_REGISTERED] = "registered",
	[SUPERVISOR_REGISTRY_UNREGISTERED] = "unregistered",
	[SUPERVISOR_REGISTRY_DIED] = "died",
};

static const char *const children[] = {
	[SUPERVISOR_ORDERED] = "ordered",
	[SUPERVISOR_DYNAMIC] = "dynamic",
	[SUPERVISOR_SIMPLE] = "simple_one_for_one",
};

static const char *const spawn[] = {
	[SUPERVISOR_SPAWN_SPAWNER] = "spawner",
	[SUPERVISOR_SPAWN_SELF] = "self",
};

#define WORDS(array) { array, ARRAY_SIZE(array) }

static const struct {
	const char *const *word;
	size_t count;
} all[] = {
	[SUP_WORDS_STRATEGY] = WORDS(strategy),
	[SUP_WORDS_AUTO_SHUTDOWN] = WORDS(auto_shutdown),
	[SUP_WORDS_OWNER_DEATH] = WORDS(owner_death),
	[SUP_WORDS_RESTART] = WORDS(restart),
	[SUP_WORDS_TYPE] = WORDS(type),
	[SUP_WORDS_READINESS] = WORDS(readiness),
	[SUP_WORDS_SIGNAL] = WORDS(signal_whom),
	[SUP_WORDS_STATE] = WORDS(state),
	[SUP_WORDS_CHILD_STATE] = WORDS(child_state),
	[SUP_WORDS_EVENT] = WORDS(event),
	[SUP_WORDS_EXIT] = WORDS(exit_reason),
	[SUP_WORDS_DOWN] = WORDS(down),
	[SUP_WORDS_RESULT] = WORDS(result),
	[SUP_WORDS_INVALID] = WORDS(invalid),
	[SUP_WORDS_LIMIT] = WORDS(limit),
	[SUP_WORDS_KIND] = WORDS(kind),
	[SUP_WORDS_MESSAGE] = WORDS(message),
	[SUP_WORDS_ALIAS] = WORDS(alias),
	[SUP_WORDS_DOWN_OF] = WORDS(down_of),
	[SUP_WORDS_TRACE] = WORDS(trace),
	[SUP_WORDS_KEYS] = WORDS(keys),
	[SUP_WORDS_CHANGE] = WORDS(change),
	[SUP_WORDS_DECISION] = WORDS(decision),
	[SUP_WORDS_CHILDREN] = WORDS(children),
	[SUP_WORDS_SPAWN] = WORDS(spawn),
};

const char *sup_word(enum sup_words words, uint32_t value)
{
	if ((size_t)words >= ARRAY_SIZE(all) || value >= all[words].count)
		return NULL;
	return all[words].word[value];
}
