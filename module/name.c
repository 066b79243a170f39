// SPDX-License-Identifier: GPL-2.0
#include "name.h"

#include <linux/string.h>

/* FNV-1a's, for 32 bits. */
#define NAME_HASH_BASIS	2166136261U
#define NAME_HASH_PRIME	16777619U

/**
 * sup_name_valid() - tell whether bytes may be a name
 * @bytes: the bytes
 * @len: how many
 *
 * Return: true for 1 to %SUP_NAME_MAX bytes without NUL, '/', a C0 control or
 *	DEL. What the others mean is not looked at: UTF-8 is welcome, not required.
 */
bool sup_name_valid(const char *bytes, size_t len)
{
	size_t i;

	if (len == 0 || len > SUP_NAME_MAX)
		return false;

	for (i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (c < 0x20 || c == 0x7f || c == '/')
			return false;
	}
	return true;
}

/**
 * sup_name_hash() - hash a name
 * @bytes: the name
 * @len: its length
 *
 * Return: the same value for the same bytes, on every machine.
 */
u32 sup_name_hash(const char *bytes, size_t len)
{
	u32 hash = NAME_HASH_BASIS;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * NAME_HASH_PRIME;

	/* FNV leaves its low bits weak for short names, and buckets use those. */
	hash ^= hash >> 16;
	hash *= 0x85ebca6bU;
	hash ^= hash >> 13;
	return hash;
}

/**
 * sup_name_make() - a name of some bytes
 * @bytes: a valid name, which must outlive what is returned
 * @len: its length
 *
 * Return: the name, hashed.
 */
struct sup_name sup_name_make(const char *bytes, size_t len)
{
	struct sup_name name = {
		.bytes = bytes,
		.len = len,
		.hash = sup_name_hash(bytes, len),
	};

	return name;
}

/**
 * sup_name_equal() - compare two names
 * @a: one
 * @b: the other
 *
 * Return: true if they are the same bytes.
 */
bool sup_name_equal(const struct sup_name *a, const struct sup_name *b)
{
	return a->hash == b->hash && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}
