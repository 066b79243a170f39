/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace - tracepoints, one for each change of state. Ids are those of the UAPI,
 * process numbers those of the initial namespace. A path is that of the child: the
 * ids of the supervisors below the root and its own, or their end.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM supervisor

#if !defined(SUP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SUP_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(sup_exit,
	TP_PROTO(int pid, int status, u64 seq),
	TP_ARGS(pid, status, seq),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(int, status)
		__field(u64, seq)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->status = status;
		__entry->seq = seq;
	),
	TP_printk("pid=%d status=0x%x seq=%llu", __entry->pid, __entry->status, __entry->seq)
);

TRACE_EVENT(sup_attach,
	TP_PROTO(u64 supervisor, u64 child, u32 incarnation, int pid),
	TP_ARGS(supervisor, child, incarnation, pid),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(u32, incarnation)
		__field(int, pid)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->incarnation = incarnation;
		__entry->pid = pid;
	),
	TP_printk("supervisor=%llu child=%llu incarnation=%u pid=%d", __entry->supervisor,
		  __entry->child, __entry->incarnation, __entry->pid)
);

TRACE_EVENT(sup_start,
	TP_PROTO(u64 supervisor, u64 child, u32 incarnation, const char *path, u32 path_len,
		 u32 callers, int caller),
	TP_ARGS(supervisor, child, incarnation, path, path_len, callers, caller),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(u32, incarnation)
		__field(u32, callers)
		__field(int, caller)
		__dynamic_array(char, path, path_len + 1)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->incarnation = incarnation;
		__entry->callers = callers;
		__entry->caller = caller;
		memcpy(__get_dynamic_array(path), path, path_len);
		((char *)__get_dynamic_array(path))[path_len] = '\0';
	),
	TP_printk("supervisor=%llu child=%llu incarnation=%u path=%s callers=%u caller=%d",
		  __entry->supervisor, __entry->child, __entry->incarnation, __get_str(path),
		  __entry->callers, __entry->caller)
);

TRACE_EVENT(sup_started,
	TP_PROTO(u64 supervisor, u64 child, u32 incarnation),
	TP_ARGS(supervisor, child, incarnation),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(u32, incarnation)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->incarnation = incarnation;
	),
	TP_printk("supervisor=%llu child=%llu incarnation=%u", __entry->supervisor,
		  __entry->child, __entry->incarnation)
);

TRACE_EVENT(sup_exited,
	TP_PROTO(u64 supervisor, u64 child, u32 incarnation, u32 reason, int status, u64 seq,
		 const char *path, u32 path_len, u32 callers, int caller),
	TP_ARGS(supervisor, child, incarnation, reason, status, seq, path, path_len, callers,
		caller),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(u64, seq)
		__field(u32, incarnation)
		__field(u32, reason)
		__field(int, status)
		__field(u32, callers)
		__field(int, caller)
		__dynamic_array(char, path, path_len + 1)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->seq = seq;
		__entry->incarnation = incarnation;
		__entry->reason = reason;
		__entry->status = status;
		__entry->callers = callers;
		__entry->caller = caller;
		memcpy(__get_dynamic_array(path), path, path_len);
		((char *)__get_dynamic_array(path))[path_len] = '\0';
	),
	TP_printk("supervisor=%llu child=%llu incarnation=%u reason=%u status=0x%x seq=%llu path=%s callers=%u caller=%d",
		  __entry->supervisor, __entry->child, __entry->incarnation, __entry->reason,
		  __entry->status, __entry->seq, __get_str(path), __entry->callers,
		  __entry->caller)
);

TRACE_EVENT(sup_signal,
	TP_PROTO(u64 supervisor, u64 child, int pid, int sig, int ret),
	TP_ARGS(supervisor, child, pid, sig, ret),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(int, pid)
		__field(int, sig)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->pid = pid;
		__entry->sig = sig;
		__entry->ret = ret;
	),
	TP_printk("supervisor=%llu child=%llu pid=%d sig=%d ret=%d", __entry->supervisor,
		  __entry->child, __entry->pid, __entry->sig, __entry->ret)
);

TRACE_EVENT(sup_decision,
	TP_PROTO(u64 supervisor, u64 child, int action),
	TP_ARGS(supervisor, child, action),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u64, child)
		__field(int, action)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->child = child;
		__entry->action = action;
	),
	TP_printk("supervisor=%llu child=%llu action=%s", __entry->supervisor, __entry->child,
		  __print_symbolic(__entry->action,
			{ 0, "start" }, { 1, "term" }, { 2, "kill" }, { 3, "abandon" },
			{ 4, "forget" }, { 5, "reply" }, { 6, "up" }, { 7, "down" }))
);

TRACE_EVENT(sup_escalate,
	TP_PROTO(u64 supervisor, u32 reason, u32 down),
	TP_ARGS(supervisor, reason, down),
	TP_STRUCT__entry(
		__field(u64, supervisor)
		__field(u32, reason)
		__field(u32, down)
	),
	TP_fast_assign(
		__entry->supervisor = supervisor;
		__entry->reason = reason;
		__entry->down = down;
	),
	TP_printk("supervisor=%llu reason=%u down=%u", __entry->supervisor, __entry->reason,
		  __entry->down)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
