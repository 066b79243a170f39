// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kv.c - a server that keeps keys and values.
 *
 *	kv /NAME
 *
 * Calls are "get KEY" and "set KEY VALUE", casts "set KEY VALUE": plain bytes,
 * from anybody who may open the mailbox. It survives the server: what comes while
 * nobody serves it waits for the next one of that name. SIGTERM ends the server
 * in good order.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <supervisor.h>

struct store {
	int used;
	struct entry {
		char key[32];
		char value[64];
	} entry[64];
};

static struct sup_server *server;

static void on_term(int signo)
{
	sup_server_signal(server, signo);
}

static struct entry *find(struct store *store, const char *key, int made)
{
	for (int i = 0; i < store->used; i++)
		if (!strcmp(store->entry[i].key, key))
			return &store->entry[i];
	if (!made || store->used == 64)
		return NULL;
	strcpy(store->entry[store->used].key, key);
	return &store->entry[store->used++];
}

static const char *serve(struct store *store, const void *request, size_t len)
{
	char text[128], verb[4], key[32], value[64];
	struct entry *entry;
	int words;

	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)request);
	words = sscanf(text, "%3s %31s %63s", verb, key, value);
	if (words < 2)
		return "what?";
	entry = find(store, key, words == 3);
	if (!entry)
		return words == 3 ? "full" : "none";
	if (words == 2)
		return entry->value;
	strcpy(entry->value, value);
	return "ok";
}

static int handle_call(struct sup_server *self, void *store,
		       const struct supervisor_msg *msg, const void *request,
		       size_t len)
{
	const char *answer = serve(store, request, len);

	(void)msg;
	return sup_server_reply(self, answer, strlen(answer));
}

static int handle_cast(struct sup_server *self, void *store,
		       const struct supervisor_msg *msg, const void *request,
		       size_t len)
{
	(void)self;
	(void)msg;
	serve(store, request, len);
	return 0;
}

int main(int argc, char **argv)
{
	static struct store store;
	SUP_OPTS(sup_mailbox_opts, create, .survive = 1);
	SUP_OPTS(sup_server_ops, ops, .handle_call = handle_call,
		 .handle_cast = handle_cast);
	SUP_OPTS(sup_server_opts, opts, .state = &store, .create = &create,
		 .state_size = sizeof(store));

	if (argc != 2)
		return 2;
	create.name = argv[1];
	if (sup_server_new(&server, &ops, &opts))
		return 1;
	signal(SIGTERM, on_term);
	return sup_server_run(server);
}
