/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of the accept policy over D-Bus. Each is made to the draft first, and to the policy in
 * force once the draft is saved, in the same order. */
#include "daemon/app-private.h"

#include "common/base/error.h"
#include "daemon/policy/accept-text.h"

static AcceptRule
change_rule(const AppChange *change)
{
    AcceptRule rule = store_state_rule(change->asked, 0);

    rule.id = (guint32)change->id;
    return rule;
}

/* Each check takes a new id from the draft: one from a dropped draft would leave a gap. */
static gboolean
add_rule_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    const AcceptRule rule = store_state_rule(change->asked, 0);
    guint32 id;

    if (!accept_policy_add(draft->policy, &rule, change->position, &id, error))
        return FALSE;
    change->id = id;
    return TRUE;
}

static gpointer
add_rule_apply(App *app, AppChange *change)
{
    const AcceptRule rule = change_rule(change);
    g_autofree char *text = NULL;

    if (!accept_policy_add(app->policy, &rule, change->position, NULL, NULL))
        g_error("rule %u was checked and cannot be added", rule.id);
    text = accept_rule_text(&rule);
    app_record_policy(app, change, "none", text);
    app_tell_policy(app);
    return (gpointer)accept_policy_find(app->policy, rule.id);
}

static const ChangeKind add_rule_kind = {add_rule_check, add_rule_apply};

AppChange *
app_add_rule(App *app, const AcceptRule *rule, int position, AppDone done, void *data,
             GError **error)
{
    AppChange *change = app_change_new(&add_rule_kind, done, data);

    change->asked = store_state_new();
    store_state_add_rule(change->asked, rule);
    change->position = position;
    return app_submit(app, change, error);
}

static gboolean
remove_rule_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    return accept_policy_remove(draft->policy, (guint32)change->id, error);
}

static gpointer
remove_rule_apply(App *app, AppChange *change)
{
    const AcceptRule *rule = accept_policy_find(app->policy, (guint32)change->id);
    g_autofree char *text = rule ? accept_rule_text(rule) : NULL;

    (void)accept_policy_remove(app->policy, (guint32)change->id, NULL);
    app_record_policy(app, change, text, "none");
    app_tell_policy(app);
    return NULL;
}

static const ChangeKind remove_rule_kind = {remove_rule_check, remove_rule_apply};

AppChange *
app_remove_rule(App *app, guint32 id, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&remove_rule_kind, done, data);

    change->id = id;
    return app_submit(app, change, error);
}

static gboolean
move_rule_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    return accept_policy_move(draft->policy, (guint32)change->id, change->position, error);
}

/* Counts from 0, as Policy.Move does. */
static char *
position_text(const App *app, const AppChange *change)
{
    return g_strdup_printf("rule %u at position %d", (guint32)change->id,
                           accept_policy_position(app->policy, (guint32)change->id));
}

static gpointer
move_rule_apply(App *app, AppChange *change)
{
    g_autofree char *before = position_text(app, change), *after = NULL;

    (void)accept_policy_move(app->policy, (guint32)change->id, change->position, NULL);
    after = position_text(app, change);
    app_record_policy(app, change, before, after);
    app_tell_policy(app);
    return NULL;
}

static const ChangeKind move_rule_kind = {move_rule_check, move_rule_apply};

AppChange *
app_move_rule(App *app, guint32 id, int position, AppDone done, void *data, GError **error)
{
    AppChange *change = app_change_new(&move_rule_kind, done, data);

    change->id = id;
    change->position = position;
    return app_submit(app, change, error);
}

static gboolean
set_default_check(App *app, AppChange *change, AppDraft *draft, GError **error)
{
    if (!accept_policy_set_default(draft->policy, change->accept, change->name, error))
        return FALSE;
    draft->default_kept = TRUE;
    return TRUE;
}

static char *
default_text(const App *app)
{
    g_autofree char *outcome = accept_default_text(app->policy);

    return g_strconcat("default: ", outcome, NULL);
}

static gpointer
set_default_apply(App *app, AppChange *change)
{
    g_autofree char *before = default_text(app), *after = NULL;

    (void)accept_policy_set_default(app->policy, change->accept, change->name, NULL);
    app->default_kept = TRUE;
    after = default_text(app);
    app_record_policy(app, change, before, after);
    app_tell_policy(app);
    return NULL;
}

static const ChangeKind set_default_kind = {set_default_check, set_default_apply};

AppChange *
app_set_default(App *app, gboolean accept, const char *reject_text, AppDone done, void *data,
                GError **error)
{
    AppChange *change = app_change_new(&set_default_kind, done, data);

    change->accept = accept;
    change->name = g_strdup(reject_text);
    return app_submit(app, change, error);
}
