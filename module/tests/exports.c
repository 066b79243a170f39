// SPDX-License-Identifier: GPL-2.0
/* What supervisor_kunit.ko tests, exported where there is a KUnit to run it. */
#include <linux/module.h>

#include "../compat.h"
#include "../dynamic.h"
#include "../policy.h"
#include "../registry_slots.h"

SUP_EXPORT_FOR_KUNIT(sup_name_valid);
SUP_EXPORT_FOR_KUNIT(sup_name_hash);
SUP_EXPORT_FOR_KUNIT(sup_name_make);
SUP_EXPORT_FOR_KUNIT(sup_name_equal);
SUP_EXPORT_FOR_KUNIT(sup_flags_validate);
SUP_EXPORT_FOR_KUNIT(sup_child_spec_validate);
SUP_EXPORT_FOR_KUNIT(sup_policy_window_slots);
SUP_EXPORT_FOR_KUNIT(sup_policy_init);
SUP_EXPORT_FOR_KUNIT(sup_policy_add);
SUP_EXPORT_FOR_KUNIT(sup_policy_find);
SUP_EXPORT_FOR_KUNIT(sup_policy_input);
SUP_EXPORT_FOR_KUNIT(sup_policy_next);
SUP_EXPORT_FOR_KUNIT(sup_policy_withdraw);
SUP_EXPORT_FOR_KUNIT(sup_policy_deadline);
SUP_EXPORT_FOR_KUNIT(sup_policy_suspended);
SUP_EXPORT_FOR_KUNIT(sup_window_slots);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_spec_validate);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_init);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_input);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_next);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_decided);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_withdraw);
SUP_EXPORT_FOR_KUNIT(sup_dynamic_deadline);
SUP_EXPORT_FOR_KUNIT(sup_slots_bytes);
SUP_EXPORT_FOR_KUNIT(sup_slots_init);
SUP_EXPORT_FOR_KUNIT(sup_slots_take);
SUP_EXPORT_FOR_KUNIT(sup_slots_give);
SUP_EXPORT_FOR_KUNIT(sup_slots_show);
SUP_EXPORT_FOR_KUNIT(sup_slots_change);
SUP_EXPORT_FOR_KUNIT(sup_slots_hide);
SUP_EXPORT_FOR_KUNIT(sup_slots_take_owner);
SUP_EXPORT_FOR_KUNIT(sup_slots_end_owner);
SUP_EXPORT_FOR_KUNIT(sup_slots_give_owner);
