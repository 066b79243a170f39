// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI as a 32-bit program sees it, which is as a 64-bit one does: sizes, and
 * one round through calls with 64-bit members and pointers in them. Without a C
 * library. Exits with the line of what failed, modulo 256, or 0.
 */
#include <linux/fcntl.h>
#include <linux/supervisor.h>

#define SYS_EXIT 1
#define SYS_OPEN 5
#define SYS_IOCTL 54

#define EINVAL 22

static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a" (result)
			 : "a" (number), "b" (a), "c" (b), "d" (c)
			 : "memory");
	return result;
}

static long do_ioctl(long fd, unsigned int command, void *argument)
{
	return call(SYS_IOCTL, fd, command, (long)argument);
}

void *memset(void *to, int byte, unsigned long size)
{
	unsigned char *at = to;

	while (size--)
		*at++ = byte;
	return to;
}

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			return __LINE__; \
	} while (0)

static char buf[4096] __attribute__((aligned(8)));

static int round_trip(void)
{
	struct supervisor_info info = { .size = sizeof(info) };
	struct supervisor_mailbox_create mailbox = { .size = sizeof(mailbox) };
	struct supervisor_create create = {
		.size = sizeof(create),
		.intensity = 0x12345,
		.period = 31536000,
		.unkillable_ms = 1000,
	};
	struct supervisor_child_spec spec = {
		.size = sizeof(spec),
		.restart = SUPERVISOR_TRANSIENT,
		.shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY,
		.supervisor_fd = -1,
		.id = (unsigned long)"compat",
		.id_len = 6,
		.blob = (unsigned long)"blob",
		.blob_len = 4,
	};
	struct supervisor_child_add add = {
		.size = sizeof(add),
		.spec = (unsigned long)&spec,
		.deadline = SUPERVISOR_NO_DEADLINE,
		.mailbox_fd = -1,
	};
	struct supervisor_status status = {
		.size = sizeof(status),
		.buf = (unsigned long)buf,
		.buf_len = sizeof(buf),
	};
	const struct supervisor_child_status *child = (void *)buf;
	long dev = call(SYS_OPEN, (long)"/dev/supervisor", O_RDWR, 0);
	long sup;

	CHECK(dev >= 0);
	CHECK(do_ioctl(dev, SUPERVISOR_INFO, &info) == 0);
	CHECK(info.out_abi == SUPERVISOR_ABI);
	info.size--;
	CHECK(do_ioctl(dev, SUPERVISOR_INFO, &info) == -EINVAL);

	CHECK(do_ioctl(dev, SUPERVISOR_MAILBOX_CREATE, &mailbox) == 0);
	create.mailbox_fd = mailbox.out_fd;
	CHECK(do_ioctl(dev, SUPERVISOR_CREATE, &create) == 0);
	CHECK(create.out_id != 0);
	sup = create.out_fd;

	CHECK(do_ioctl(sup, SUPERVISOR_CHILD_ADD, &add) == 0);
	CHECK(do_ioctl(sup, SUPERVISOR_STATUS, &status) == 0);
	CHECK(status.out_id == create.out_id);
	CHECK(status.out_intensity == 0x12345);
	CHECK(status.out_period == 31536000);
	CHECK(status.out_count == 1);
	CHECK(child->id == add.out_id);
	CHECK(child->name_len == 6);
	CHECK(child->restart == SUPERVISOR_TRANSIENT);
	CHECK(child->name_offset + child->name_len < child->size);
	CHECK(buf[child->name_offset] == 'c');
	CHECK(buf[child->name_offset + 5] == 't');
	CHECK(child->size == status.buf_len);
	return 0;
}

/* With a 4-byte stack pointer, as the kernel does not align it for functions. */
__attribute__((force_align_arg_pointer)) void _start(void)
{
	call(SYS_EXIT, round_trip() & 0xff, 0, 0);
	__builtin_unreachable();
}
