// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * report.c - owns what a new process, and whoever forked it, tells the kernel.
 * Runs between vfork and exec, so: system calls only.
 */
#include "internal.h"

int sup_attach(int device, uint64_t token, uint32_t flags)
{
	struct supervisor_child_attach arg = {
		.size = sizeof(arg),
		.flags = flags,
		.token = token,
	};

	return sup_ioctl(device, SUPERVISOR_CHILD_ATTACH, &arg);
}

int sup_child_attach(int device, uint64_t token)
{
	return sup_attach(device, token, 0);
}

int sup_child_report(int device, uint64_t token, uint32_t report, int error)
{
	struct supervisor_child_report arg = {
		.size = sizeof(arg),
		.token = token,
		.report = report,
		.error = error,
	};

	return sup_ioctl(device, SUPERVISOR_CHILD_REPORT, &arg);
}

int sup_reset_signals(int device)
{
	struct supervisor_reset_signals arg = { .size = sizeof(arg) };

	return sup_ioctl(device, SUPERVISOR_RESET_SIGNALS, &arg);
}

int sup_notify_ready(void)
{
	int device = sup_device_open();
	int ret;

	if (device < 0)
		return device;
	ret = sup_child_report(device, 0, SUPERVISOR_REPORT_READY, 0);
	sup_close(device);
	return ret;
}
