/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests: a registry in a scratch folder, with its operations as blocking calls. */
#pragma once

#include "hub/registry/sqlite.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder;
    char *path;
    Registry *registry;
} Scratch;

typedef struct {
    gboolean done;
    RegistryCode code;
    char *message;
    RegistryDevice *device;
    RegistryPolicy *policy;
    GPtrArray *names; /* of a list: "id", "id/module" or a policy's name */
    gboolean more;
} Answer;

static inline void
answer_clear(Answer *answer)
{
    g_free(answer->message);
    registry_device_free(answer->device);
    registry_policy_free(answer->policy);
    g_clear_pointer(&answer->names, g_ptr_array_unref);
    memset(answer, 0, sizeof *answer);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static inline void
answer_take(const RegistryResult *result, void *data)
{
    Answer *answer = data;

    g_assert_false(answer->done);
    answer_clear(answer);
    answer->done = TRUE;
    answer->code = result->code;
    answer->message = g_strdup(result->message);
    answer->device = result->device ? registry_device_copy(result->device) : NULL;
    answer->policy = result->policy ? registry_policy_copy(result->policy) : NULL;
    answer->names = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < result->n_devices; i++)
        g_ptr_array_add(answer->names,
                        g_strjoin("/", result->devices[i]->id, result->devices[i]->module, NULL));
    for (gsize i = 0; i < result->n_policies; i++)
        g_ptr_array_add(answer->names, g_strdup(result->policies[i]->name));
    answer->more = result->more;
}

static inline void
answer_wait(Answer *answer)
{
    while (!answer->done)
        g_main_context_iteration(NULL, TRUE);
}

#define ANSWER(answer, call, registry, ...)                                                        \
    (answer_clear(&(answer)), call((registry), ##__VA_ARGS__, answer_take, &(answer)),             \
     answer_wait(&(answer)), (answer).code)

static inline RegistryCode
add(Registry *registry, const char *id, const char *module)
{
    RegistryDevice draft = {.id = (char *)id, .module = (char *)module, .enabled = TRUE};
    g_auto(Answer) answer = {0};

    return ANSWER(answer, registry_add_device, registry, &draft);
}

static inline RegistryCode
lookup(Registry *registry, const char *id, const char *module)
{
    g_auto(Answer) answer = {0};

    return ANSWER(answer, registry_lookup_device, registry, id, module);
}

static inline void
scratch_open(Scratch *scratch)
{
    g_autoptr(GError) error = NULL;

    scratch->registry = registry_sqlite_open(scratch->path, &error);
    g_assert_no_error(error);
}

static inline void
scratch_reopen(Scratch *scratch)
{
    g_clear_pointer(&scratch->registry, registry_free);
    scratch_open(scratch);
}

static inline void
scratch_make(Scratch *scratch)
{
    g_autoptr(GError) error = NULL;

    scratch->folder = g_dir_make_tmp("registry-XXXXXX", NULL);
    scratch->path = g_build_filename(scratch->folder, "registry.sqlite", NULL);
    g_assert_true(registry_sqlite_create(scratch->path, &error));
    g_assert_no_error(error);
    scratch_open(scratch);
}

static inline void
scratch_clear(Scratch *scratch)
{
    g_autoptr(GDir) dir = g_dir_open(scratch->folder, 0, NULL);
    const char *name;

    g_clear_pointer(&scratch->registry, registry_free);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(scratch->folder, name, NULL);

        (void)g_unlink(path);
    }
    (void)g_rmdir(scratch->folder);
    g_free(scratch->folder);
    g_free(scratch->path);
}
