// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * siphash.c - owns SipHash-2-4, by which a registry's mapping finds its keys.
 */
#include <endian.h>
#include <string.h>
#include "internal.h"

static inline uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

struct state {
	uint64_t a, b, c, d;
};

static inline void sip_round(struct state *v)
{
	v->a += v->b;
	v->c += v->d;
	v->b = rotate(v->b, 13) ^ v->a;
	v->d = rotate(v->d, 16) ^ v->c;
	v->a = rotate(v->a, 32);
	v->c += v->b;
	v->a += v->d;
	v->b = rotate(v->b, 17) ^ v->c;
	v->d = rotate(v->d, 21) ^ v->a;
	v->c = rotate(v->c, 32);
}

static inline void sip_word(struct state *v, uint64_t word)
{
	v->d ^= word;
	sip_round(v);
	sip_round(v);
	v->a ^= word;
}

uint64_t sup_siphash(const uint64_t key[2], const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	const unsigned char *end = at + len / 8 * 8;
	struct state v = {
		key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
	};
	uint64_t word;

	for (; at != end; at += 8) {
		memcpy(&word, at, sizeof(word));
		sip_word(&v, le64toh(word));
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < len % 8; i++)
		word |= (uint64_t)at[i] << 8 * i;
	sip_word(&v, word);
	v.c ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}
