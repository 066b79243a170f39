// SPDX-License-Identifier: GPL-2.0
/*
 * The device: /dev/supervisor, its ioctl table, module init and exit.
 * No semantics live here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations supervisor_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static struct miscdevice supervisor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "supervisor",
	.fops = &supervisor_fops,
	.mode = 0600,
};
module_misc_device(supervisor_device);

MODULE_DESCRIPTION("OTP supervisors, registries, monitors and calls for processes");
MODULE_AUTHOR("The supervisor.ko authors");
MODULE_VERSION(SUPERVISOR_VERSION);
MODULE_LICENSE("GPL");
