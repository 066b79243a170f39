/* SPDX-License-Identifier: GPL-2.0 */
/*
 * message - what casts, calls and replies carry: their sender, as the kernel
 * knows it, and a payload.
 */
#ifndef SUP_MESSAGE_H
#define SUP_MESSAGE_H

#include <linux/align.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/supervisor.h>

#include "process.h"

struct pid;
struct sup_account;
struct user_namespace;

/* Payloads up to this need no memory of their own. */
#define SUP_PAYLOAD_SMALL 128

/**
 * struct sup_sender - who sent a message
 * @pid: referenced
 * @origin: referenced: of a supervised process; NULL otherwise
 * @uid: effective
 * @time_ns: when: CLOCK_MONOTONIC
 */
struct sup_sender {
	struct pid *pid;
	struct sup_origin *origin;
	kuid_t uid;
	u64 time_ns;
};

/**
 * struct sup_large - the memory of more than %SUP_PAYLOAD_SMALL bytes
 * @refs: references: payloads that share it
 * @account: const once it is shared, referenced: who pays; NULL for nobody yet
 * @bytes: const once it is shared
 */
struct sup_large {
	refcount_t refs;
	struct sup_account *account;
	u8 bytes[] __aligned(8);
};

/**
 * struct sup_payload - bytes from user space
 * @len: how many
 * @large: more than %SUP_PAYLOAD_SMALL: their memory, referenced; else NULL
 * @small: the bytes, when @large is NULL
 *
 * Zeroes follow the bytes, up to a multiple of 8.
 */
struct sup_payload {
	u32 len;
	struct sup_large *large;
	u8 small[SUP_PAYLOAD_SMALL] __aligned(8);
};

/**
 * sup_data_size - bytes of a struct supervisor_msg_data with all that follows it
 * @payload_len: bytes of the payload
 * @path: whose path follows that, or NULL
 *
 * Context: any.
 * Return: the bytes, a multiple of 8.
 */
static inline u32 sup_data_size(u32 payload_len, const struct sup_origin *path)
{
	return sizeof(struct supervisor_msg_data) + ALIGN(payload_len, 8) +
	       (path ? ALIGN(path->path_len + 1, 8) : 0);
}

int sup_sender_get(struct sup_sender *sender);
void sup_sender_put(struct sup_sender *sender);

int sup_payload_read(struct sup_payload *payload, u64 uptr, u32 len);
int sup_payload_charge(struct sup_payload *payload, struct sup_account *account);
int sup_payload_read_charged(struct sup_payload *payload, u64 uptr, u32 len, u32 *limit);
void sup_payload_share(struct sup_payload *to, const struct sup_payload *from);
void sup_payload_move(struct sup_payload *to, struct sup_payload *from);
void sup_payload_free(struct sup_payload *payload);
const void *sup_payload_bytes(const struct sup_payload *payload);
int sup_payload_copy_to_user(const struct sup_payload *payload, void __user *to);
int sup_payload_deliver(const struct sup_payload *payload, void __user *to);

void sup_data_write(struct supervisor_msg_data *data, u16 type, u64 ref,
		    const struct sup_sender *sender, struct user_namespace *ns, u32 len);
void sup_data_path(struct supervisor_msg_data *data, const struct sup_origin *path);
int sup_data_deliver_path(const struct supervisor_msg_data *data, const struct sup_origin *path,
			  u8 __user *to);
int sup_data_deliver(const struct supervisor_msg_data *data, const struct sup_payload *payload,
		     const struct sup_origin *path, u8 __user *to);

#endif
