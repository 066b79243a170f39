# SPDX-License-Identifier: GPL-2.0
#
# The way in: build, install, test. What each part needs is in that part's own
# makefile; Kbuild is the module's. `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
DESTDIR ?=
prefix ?= /usr/local
KERNEL ?= 6.12

VERSION := $(shell cat VERSION)
DKMS_SOURCE := $(DESTDIR)/usr/src/supervisor-$(VERSION)

export DESTDIR prefix

all: modules lib tools		## module, library and tools

help:				## this list
	@sed -n 's/^\([a-z_-]*\):.*## */\1\t/p' Makefile | expand -t 20

# ---- Building

$(KDIR)/Makefile:
	@echo "no kernel headers at $(KDIR): install linux-headers-$$(uname -r)," >&2
	@echo "or say where they are with KDIR=" >&2
	@exit 1

modules: | $(KDIR)/Makefile	## supervisor.ko for the kernel at KDIR
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

lib:				## libsupervisor, shared and static
	$(MAKE) -C lib

tools: lib			## supctl
	$(MAKE) -C tools

KBUILD_PRODUCTS := -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
	-o -name '.*.cmd' -o -name Module.symvers -o -name modules.order

clean:				## remove everything built (kernels stay cached)
	find . -maxdepth 1 -type f \( $(KBUILD_PRODUCTS) \) -exec rm {} +
	find module -type f \( $(KBUILD_PRODUCTS) \) -exec rm {} +
	rm -rf build
	$(MAKE) -C lib clean
	$(MAKE) -C tools clean

# ---- Installing

install: modules_install lib_install tools_install device_install	## all of it

lib_install:			## the library, its headers and manual
	$(MAKE) -C lib install

tools_install:			## supctl, its manual and its unit
	$(MAKE) -C tools install

device_install:			## the device's permissions, and loading it at boot
	install -D -m 644 packaging/60-supervisor.rules \
		$(DESTDIR)$(prefix)/lib/udev/rules.d/60-supervisor.rules
	install -D -m 644 packaging/modules-load.conf \
		$(DESTDIR)$(prefix)/lib/modules-load.d/supervisor.conf
	[ -n "$(DESTDIR)" ] || ! command -v udevadm >/dev/null || udevadm control --reload || :

# Debian's headers ask for a signature, and have no key to make it with.
SIGNING := $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

modules_install: | $(KDIR)/Makefile	## the module alone, where modprobe finds it
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates $(SIGNING) modules_install
	[ -n "$(DESTDIR)" ] || depmod "$$($(MAKE) -s -C $(KDIR) kernelrelease)"

dkms-install:			## hand the module to DKMS, for each kernel to come
	install -d $(DKMS_SOURCE)
	cp -r Kbuild VERSION COPYING LICENSES dkms.conf $(DKMS_SOURCE)/
	cp --parents $$(find module uapi -name '*.[ch]') $(DKMS_SOURCE)/
	[ -n "$(DESTDIR)" ] || dkms install supervisor/$(VERSION)

deb:				## Debian packages of all of it, into build/deb
	packaging/build-deb

# ---- Testing

packages:
	@selftests/install-packages

vm:				## run RUN='command' in a guest (KERNEL= ICOUNT=1 NOMODULE=1 MODPARAMS= VM_TIMEOUT=)
	@selftests/vm/run -k '$(KERNEL)' $(if $(filter 1,$(ICOUNT)),-i) \
		$(if $(filter 1,$(NOMODULE)),-n) $(if $(MODPARAMS),-p '$(MODPARAMS)') \
		$(if $(W),-w '$(W)') -- sh -c "$$COMMAND"
# As written: make's own expansion would eat the shell's variables.
vm: export COMMAND = $(value RUN)

check: packages			## every test, on every kernel
	@selftests/check/run

check-fast: packages		## host tests, checkers, and guests of one kernel
	@selftests/check/run --fast

headertest:			## the user-space interface compiles in every dialect
	@selftests/check/20-headers

demo: packages		## a tree of daemons dies and comes back, in a guest
	@KERNEL='$(KERNEL)' selftests/demo/demo.sh

bench: packages tools		## what supervision costs, in a guest (BENCH=--json)
	@KERNEL='$(KERNEL)' tools/bench/run $(BENCH)

.PHONY: all help modules lib tools clean install modules_install lib_install \
	tools_install device_install dkms-install deb packages vm check check-fast headertest demo bench
