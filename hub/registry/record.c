/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the registry: copies, names of rights and codes; facts. */
#include "common/codec/device-id.h"
#include "hub/registry/job.h"

#include <string.h>

static const struct {
    RegistryRights right;
    const char *name;
} rights_names[] = {
    {REGISTRY_RIGHT_SERVICE_CONNECT, "service-connect"},
    {REGISTRY_RIGHT_DEVICE_CONNECT, "device-connect"},
    {REGISTRY_RIGHT_READ, "registry-read"},
    {REGISTRY_RIGHT_WRITE, "registry-write"},
};

static const char *const code_names[] = {
    [REGISTRY_OK] = "ok",           [REGISTRY_NOT_FOUND] = "not-found",
    [REGISTRY_EXISTS] = "exists",   [REGISTRY_INVALID] = "invalid",
    [REGISTRY_LIMIT] = "limit",     [REGISTRY_BUSY] = "busy",
    [REGISTRY_STORAGE] = "storage", [REGISTRY_FAILED] = "failed",
    [REGISTRY_CHANGED] = "changed", [REGISTRY_DENIED] = "denied",
    [REGISTRY_CLOSED] = "stopping",
};

void
registry_key_clear(RegistryKey *key)
{
    if (key)
        explicit_bzero(key, sizeof *key);
}

RegistryDevice *
registry_device_copy(const RegistryDevice *device)
{
    RegistryDevice *copy = g_memdup2(device, sizeof *device);

    copy->id = g_strdup(device->id);
    copy->module = g_strdup(device->module);
    copy->comment = g_strdup(device->comment);
    copy->tags = registry_tags_ref(device->tags);
    copy->facts = registry_facts_copy(device->facts);
    return copy;
}

void
registry_device_free(RegistryDevice *device)
{
    if (!device)
        return;
    g_free(device->id);
    g_free(device->module);
    g_free(device->comment);
    registry_tags_unref(device->tags);
    registry_facts_free(device->facts);
    explicit_bzero(device, sizeof *device);
    g_free(device);
}

RegistryPolicy *
registry_policy_copy(const RegistryPolicy *policy)
{
    RegistryPolicy *copy = g_memdup2(policy, sizeof *policy);

    copy->name = g_strdup(policy->name);
    copy->scope = registry_scope_ref(policy->scope);
    return copy;
}

void
registry_policy_free(RegistryPolicy *policy)
{
    if (!policy)
        return;
    g_free(policy->name);
    registry_scope_unref(policy->scope);
    explicit_bzero(policy, sizeof *policy);
    g_free(policy);
}

char *
registry_rights_format(RegistryRights rights)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(rights_names); i++)
        if (rights & rights_names[i].right)
            g_string_append_printf(text, "%s%s", text->len ? "," : "", rights_names[i].name);
    return g_string_free(text, FALSE);
}

static RegistryRights
right_from_name(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rights_names); i++)
        if (strcmp(name, rights_names[i].name) == 0)
            return rights_names[i].right;
    return 0;
}

gboolean
registry_rights_parse(const char *text, RegistryRights *ret_rights)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    RegistryRights rights = 0;

    for (char **name = names; *name; name++) {
        RegistryRights right = right_from_name(g_strstrip(*name));

        if (!right)
            return FALSE;
        rights |= right;
    }
    if (!rights)
        return FALSE;
    *ret_rights = rights;
    return TRUE;
}

const char *
registry_code_name(RegistryCode code)
{
    return (gsize)code < G_N_ELEMENTS(code_names) ? code_names[code] : "failed";
}

RegistryDevice *
registry_device_named(const char *id, const char *module)
{
    RegistryDevice *device = g_new0(RegistryDevice, 1);

    device->id = g_strdup(id);
    device->module = g_strdup(module);
    return device;
}

RegistryPolicy *
registry_policy_named(const char *name)
{
    RegistryPolicy *policy = g_new0(RegistryPolicy, 1);

    policy->name = g_strdup(name);
    return policy;
}

gboolean
registry_device_names_are_valid(const char *id, const char *module)
{
    return id && device_id_is_valid(id, -1) && (!module || device_id_is_valid(module, -1));
}

RegistryFacts *
registry_facts_new(const char *id, const char *module)
{
    RegistryFacts *facts = g_new0(RegistryFacts, 1);

    facts->id = g_strdup(id);
    facts->module = g_strdup(module);
    return facts;
}

RegistryFacts *
registry_facts_copy(const RegistryFacts *facts)
{
    RegistryFacts *copy;

    if (!facts)
        return NULL;
    copy = registry_facts_new(facts->id, facts->module);
    registry_facts_merge(copy, facts);
    return copy;
}

void
registry_facts_free(RegistryFacts *facts)
{
    if (!facts)
        return;
    g_free(facts->id);
    g_free(facts->module);
    g_free(facts->address);
    g_free(facts->client);
    g_free(facts->refusal);
    g_free(facts);
}

static void
text_take(char **text, const char *newer)
{
    if (!newer)
        return;
    g_free(*text);
    *text = g_strdup(newer);
}

void
registry_facts_merge(RegistryFacts *facts, const RegistryFacts *newer)
{
    facts->seen = MAX(facts->seen, newer->seen);
    facts->refused = MAX(facts->refused, newer->refused);
    facts->messages += newer->messages;
    facts->message_bytes += newer->message_bytes;
    if (facts->messages_since == 0)
        facts->messages_since = newer->messages_since;
    text_take(&facts->address, newer->address);
    text_take(&facts->client, newer->client);
    text_take(&facts->refusal, newer->refusal);
}

void
registry_write_facts(Registry *registry, GPtrArray *facts, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_WRITE_FACTS, done, data);

    job->extra = facts;
    job->extra_free = (GDestroyNotify)g_ptr_array_unref;
    registry_job_submit(registry, job);
}

void
registry_list_by_seen(Registry *registry, gint64 after_seen, const char *after_id,
                      const char *after_module, guint limit, RegistryDone done, void *data)
{
    RegistryJob *job = registry_job_new(registry, REGISTRY_LIST_DEVICES, done, data);

    job->device = registry_device_named(after_id, after_module);
    job->device->facts = registry_facts_new(after_id, after_module);
    job->device->facts->seen = after_id ? after_seen : G_MAXINT64;
    job->limit = limit == 0 ? REGISTRY_PAGE_MAX : MIN(limit, REGISTRY_PAGE_MAX);
    registry_job_submit(registry, job);
}
