/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes of services: modes, conditions and scopes against what is there; what is told, and kept.
 */
#include "hub/registry/write.h"
#include "tests/unit/hub/registry/registry-helper.h"

typedef enum { NOT_THERE, REACHED, OUTSIDE } Place;
typedef enum { ANY, RIGHT, STALE } Mark;

typedef struct {
    Scratch scratch;
    GString *told; /* the kinds of changes, a letter each */
} Fixture;

static void
on_change(const RegistryChange *change, void *data)
{
    static const char letters[] = {
        [REGISTRY_DEVICE_REMOVED] = 'r', [REGISTRY_DEVICE_DISABLED] = 'd',
        [REGISTRY_POLICY_REMOVED] = '?', [REGISTRY_DEVICE_ADMITTED] = 'a',
        [REGISTRY_DEVICE_KEYS] = 'k',    [REGISTRY_DEVICE_AUTH] = 'x',
        [REGISTRY_DEVICE_EDITED] = 'e',
    };

    g_string_append_c(((Fixture *)data)->told, letters[change->kind]);
    if (change->kind == REGISTRY_DEVICE_EDITED)
        g_assert_cmpstr(registry_tags_get(change->tags, "new"), ==, "1");
}

static void
fixture_make(Fixture *f)
{
    scratch_make(&f->scratch);
    f->told = g_string_new(NULL);
    (void)registry_watch(f->scratch.registry, on_change, f);
}

static void
fixture_clear(Fixture *f)
{
    scratch_clear(&f->scratch);
    (void)g_string_free(f->told, TRUE);
}

static RegistryScope *
scope_parse(const char *text)
{
    RegistryScope *scope = NULL;

    g_assert_true(registry_scope_parse(text, &scope));
    return scope;
}

/* The record as it is in the database; NULL: there is none. */
static RegistryDevice *
stored(Fixture *f, const char *id, const char *module)
{
    g_auto(Answer) answer = {0};
    RegistryCode code = ANSWER(answer, registry_fetch_device, f->scratch.registry, id, module);

    g_assert_true(code == REGISTRY_OK || code == REGISTRY_NOT_FOUND);
    return g_steal_pointer(&answer.device);
}

static RegistryCode
write_as(Fixture *f, RegistryWrite *write, Answer *answer)
{
    g_string_truncate(f->told, 0);
    return ANSWER(*answer, registry_write_device, f->scratch.registry, write);
}

/* What a write of MODE does to a device that is at PLACE, under MARK; MAKES: its scope has place
 * for a new one. */
static RegistryCode
wanted(RegistryWriteMode mode, Place place, Mark mark, gboolean makes)
{
    if (place == NOT_THERE && (mode == REGISTRY_WRITE_UPDATE || mode == REGISTRY_WRITE_REMOVE))
        return REGISTRY_NOT_FOUND;
    if (mode == REGISTRY_WRITE_CREATE && !makes)
        return REGISTRY_DENIED;
    if (place == NOT_THERE)
        return makes ? REGISTRY_OK : REGISTRY_DENIED;
    if (place == OUTSIDE)
        return mode == REGISTRY_WRITE_EITHER ? REGISTRY_DENIED : REGISTRY_NOT_FOUND;
    if (mode == REGISTRY_WRITE_CREATE)
        return REGISTRY_EXISTS;
    return mark == STALE ? REGISTRY_CHANGED : REGISTRY_OK;
}

static void
check_cell(Fixture *f, RegistryWriteMode mode, Place place, Mark mark, const char *scope,
           gboolean makes)
{
    g_autoptr(RegistryDevice) before = stored(f, "gw-1", NULL);
    g_autoptr(RegistryDevice) after = NULL;
    g_auto(Answer) answer = {0};
    g_auto(RegistryWrite) write = {
        .mode = mode,
        .id = g_strdup("gw-1"),
        .conditional = mark != ANY,
        .etag = mark == RIGHT && before ? before->etag : 77,
        .scope = scope_parse(scope),
        .status = REGISTRY_STATUS_DISABLED,
    };
    RegistryCode code = wanted(mode, place, mark, makes);

    g_assert_cmpint(write_as(f, &write, &answer), ==, code);
    g_assert_null(write.id); /* taken */
    after = stored(f, "gw-1", NULL);
    g_assert_cmpint(f->told->len > 0, ==, code == REGISTRY_OK);
    if (code != REGISTRY_OK) {
        g_assert_cmpint(before != NULL, ==, after != NULL);
        g_assert_true(!after || (after->etag == before->etag && after->enabled));
    } else if (mode == REGISTRY_WRITE_REMOVE) {
        g_assert_null(after);
    } else {
        g_assert_cmpuint(after->etag, ==, answer.device->etag);
        g_assert_false(after->enabled);
        g_assert_true(!before || before->etag != after->etag);
    }
}

static void
test_matrix(void)
{
    static const struct {
        const char *scope, *tags;
        Place place;
        gboolean makes;
    } scopes[] = {
        {"", NULL, NOT_THERE, TRUE},
        {"", "", REACHED, TRUE},
        {"devices gw-*\n", NULL, NOT_THERE, TRUE},
        {"devices gw-*\n", "", REACHED, TRUE},
        {"devices other\n", NULL, NOT_THERE, FALSE},
        {"devices other\n", "", OUTSIDE, FALSE},
        {"tag site=berlin\n", NULL, NOT_THERE, FALSE},
        {"tag site=berlin\n", "site=berlin", REACHED, FALSE},
        {"tag site=berlin\n", "site=rome", OUTSIDE, FALSE},
        {"streams ssh\n", "", REACHED, TRUE},
    };
    Fixture f = {0};

    fixture_make(&f);
    for (RegistryWriteMode mode = REGISTRY_WRITE_CREATE; mode <= REGISTRY_WRITE_REMOVE; mode++)
        for (Mark mark = ANY; mark <= STALE; mark++)
            for (gsize i = 0; i < G_N_ELEMENTS(scopes); i++) {
                g_autoptr(RegistryTags) tags = registry_tags_parse(scopes[i].tags);
                const RegistryDevice draft = {.id = (char *)"gw-1", .enabled = TRUE, .tags = tags};
                g_auto(Answer) answer = {0};

                (void)ANSWER(answer, registry_remove_device, f.scratch.registry, "gw-1", NULL);
                if (scopes[i].tags)
                    g_assert_cmpint(ANSWER(answer, registry_add_device, f.scratch.registry, &draft),
                                    ==, REGISTRY_OK);
                check_cell(&f, mode, scopes[i].place, mark, scopes[i].scope, scopes[i].makes);
            }
    fixture_clear(&f);
}

/* The kinds of changes that are told, each only where it is one. */
static void
test_told(void)
{
    static const struct {
        RegistryWriteStatus status;
        guint8 key; /* what all its bytes are; 0: as it is */
        const char *tag;
        const char *told;
        RegistryAuthKind auth;
    } rows[] = {
        {REGISTRY_STATUS_AS_IS, 0, NULL, ""},
        {REGISTRY_STATUS_ENABLED, 'a', NULL, ""},
        {REGISTRY_STATUS_DISABLED, 0, NULL, "d"},
        {REGISTRY_STATUS_AS_IS, 'a', NULL, ""},
        {REGISTRY_STATUS_ENABLED, 0, NULL, "a"},
        {REGISTRY_STATUS_AS_IS, 'b', NULL, "k"},
        {REGISTRY_STATUS_AS_IS, 0, "new=1", "e"},
        {REGISTRY_STATUS_DISABLED, 'c', "new=1", "dke"},
        {REGISTRY_STATUS_DISABLED, 'c', NULL, ""},
        {REGISTRY_STATUS_AS_IS, 0, NULL, "x", REGISTRY_AUTH_AUTHORITY},
        {REGISTRY_STATUS_AS_IS, 0, NULL, "", REGISTRY_AUTH_AUTHORITY},
    };
    Fixture f = {0};
    g_auto(Answer) answer = {0};
    RegistryDevice draft = {.id = (char *)"gw-1", .enabled = TRUE};

    fixture_make(&f);
    draft.primary.len = draft.secondary.len = 16;
    memset(draft.primary.bytes, 'a', 16);
    memset(draft.secondary.bytes, 's', 16);
    g_assert_cmpint(ANSWER(answer, registry_add_device, f.scratch.registry, &draft), ==,
                    REGISTRY_OK);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(RegistryWrite) write = {.mode = REGISTRY_WRITE_UPDATE,
                                       .id = g_strdup("gw-1"),
                                       .status = rows[i].status,
                                       .sets_auth = rows[i].auth != REGISTRY_AUTH_KEYS,
                                       .auth = {.kind = rows[i].auth}};
        if (rows[i].key != 0) {
            write.primary.len = 16;
            memset(write.primary.bytes, rows[i].key, 16);
        }
        if (rows[i].tag)
            write.tags = g_strdupv((char *[]){(char *)(guintptr)rows[i].tag, NULL});
        g_assert_cmpint(write_as(&f, &write, &answer), ==, REGISTRY_OK);
        g_assert_cmpstr(f.told->str, ==, rows[i].told);
    }
    scratch_reopen(&f.scratch);
    {
        g_autoptr(RegistryDevice) device = stored(&f, "gw-1", NULL);

        g_assert_false(device->enabled);
        g_assert_cmpint(device->auth.kind, ==, REGISTRY_AUTH_AUTHORITY);
        g_assert_cmpint(device->primary.bytes[15], ==, 'c');
        g_assert_cmpint(device->secondary.bytes[15], ==, 's');
        g_assert_cmpstr(registry_tags_get(device->tags, "new"), ==, "1");
    }
    fixture_clear(&f);
}

static RegistryCode
write_module(Fixture *f, RegistryWriteMode mode, const char *module, const char *scope,
             const char *comment)
{
    g_auto(Answer) answer = {0};
    g_auto(RegistryWrite) write = {.mode = mode,
                                   .id = g_strdup("gw-1"),
                                   .module = g_strdup(module),
                                   .scope = scope_parse(scope),
                                   .comment = g_strdup(comment)};

    return write_as(f, &write, &answer);
}

static void
test_modules(void)
{
    Fixture f = {0};

    fixture_make(&f);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_CREATE, "m", "", NULL), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(add(f.scratch.registry, "gw-1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_CREATE, "m", "devices x\n", NULL), ==,
                    REGISTRY_NOT_FOUND);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_EITHER, "m", "", "x"), ==, REGISTRY_INVALID);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_EITHER, "m", "", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_CREATE, "m", "", NULL), ==, REGISTRY_EXISTS);
    /* One outside of the scope is as one that is not there. */
    for (RegistryWriteMode mode = REGISTRY_WRITE_CREATE; mode <= REGISTRY_WRITE_REMOVE; mode++)
        g_assert_cmpint(write_module(&f, mode, "m", "devices x\n", NULL), ==, REGISTRY_NOT_FOUND);
    for (guint i = 1; i < REGISTRY_MODULES_MAX; i++) {
        g_autofree char *name = g_strdup_printf("m%u", i);

        g_assert_cmpint(write_module(&f, REGISTRY_WRITE_CREATE, name, "", NULL), ==, REGISTRY_OK);
    }
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_CREATE, "more", "", NULL), ==, REGISTRY_LIMIT);
    g_assert_cmpint(write_module(&f, REGISTRY_WRITE_REMOVE, "m", "", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(lookup(f.scratch.registry, "gw-1", "m"), ==, REGISTRY_NOT_FOUND);
    g_assert_cmpint(lookup(f.scratch.registry, "gw-1", "m1"), ==, REGISTRY_OK);
    fixture_clear(&f);
}

/* A write that is refused half way has changed nothing. */
static void
test_whole_or_not(void)
{
    Fixture f = {0};
    g_auto(Answer) answer = {0};
    g_autoptr(RegistryDevice) before = NULL, after = NULL;
    g_auto(RegistryWrite) write = {.mode = REGISTRY_WRITE_UPDATE,
                                   .id = g_strdup("gw-1"),
                                   .status = REGISTRY_STATUS_DISABLED,
                                   .tags = g_strdupv((char *[]){(char *)"a b=c", NULL})};

    fixture_make(&f);
    g_assert_cmpint(add(f.scratch.registry, "gw-1", NULL), ==, REGISTRY_OK);
    before = stored(&f, "gw-1", NULL);
    g_assert_cmpint(write_as(&f, &write, &answer), ==, REGISTRY_INVALID);
    g_assert_nonnull(strstr(answer.message, "a key has"));
    g_assert_cmpstr(f.told->str, ==, "");
    after = stored(&f, "gw-1", NULL);
    g_assert_true(after->enabled && after->etag == before->etag);
    fixture_clear(&f);
}

static void
counts_take(const RegistryResult *result, void *data)
{
    g_assert_cmpint(result->code, ==, REGISTRY_OK);
    *(RegistryCounts *)data = *(const RegistryCounts *)result->extra;
}

static void
test_count(void)
{
    RegistryCounts counts = {.devices = 99};
    g_auto(Answer) answer = {0};
    Fixture f = {0};

    fixture_make(&f);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("gw-%u", i);

        g_assert_cmpint(add(f.scratch.registry, name, NULL), ==, REGISTRY_OK);
        g_assert_cmpint(add(f.scratch.registry, name, "m"), ==, REGISTRY_OK);
    }
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f.scratch.registry, "gw-1", NULL, FALSE),
                    ==, REGISTRY_OK);
    registry_count_devices(f.scratch.registry, counts_take, &counts);
    while (counts.devices == 99)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(counts.devices, ==, 3);
    g_assert_cmpuint(counts.enabled, ==, 2);
    fixture_clear(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry-write/matrix", test_matrix);
    g_test_add_func("/registry-write/told", test_told);
    g_test_add_func("/registry-write/modules", test_modules);
    g_test_add_func("/registry-write/whole-or-not", test_whole_or_not);
    g_test_add_func("/registry-write/count", test_count);
    return g_test_run();
}
