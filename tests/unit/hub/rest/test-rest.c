/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A user changes while its request is on its way: between the look at its token and the look at the
 * device, what counts is the scope as it is when the stream would begin. */
#include "common/codec/sas-token.h"
#include "hub/rest/rest.h"
#include "tests/unit/hub/registry/registry-helper.h"
#include "tests/unit/hub/stream/streams-fixture.h"

#define HOST "hub.example"

typedef enum { STAYS, NARROWED, WIDENED, REMOVED } Change;

typedef struct {
    Scratch scratch;
    Hub *hub;
    Admission *admission;
    Auth *auth;
    Rest *rest;
} Fixture;

static const char *const names[] = {HOST, NULL};

static void
on_change(const RegistryChange *change, void *data)
{
    Fixture *f = data;

    if (change->kind == REGISTRY_POLICY_EDITED)
        rest_user_changed(f->rest, change->name, change->scope, FALSE);
    if (change->kind == REGISTRY_POLICY_REMOVED)
        rest_user_changed(f->rest, change->name, NULL, TRUE);
}

static char *
token_of(Registry *registry, const char *user)
{
    guint64 until = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + 60;
    g_auto(Answer) answer = {0};

    g_assert_cmpint(ANSWER(answer, registry_lookup_policy, registry, user), ==, REGISTRY_OK);
    return sas_token_build(HOST, answer.policy->primary.bytes, answer.policy->primary.len, until,
                           user);
}

static void
fixture_make(Fixture *f, const char *scope)
{
    g_autoptr(RegistryScope) parsed = scope_of(scope);
    const RegistryPolicy draft = {
        .name = (char *)"anna", .rights = REGISTRY_RIGHTS_ALL, .scope = parsed};
    g_auto(Answer) answer = {0};

    scratch_make(&f->scratch);
    f->hub = hub_new(NULL);
    f->admission = admission_new(f->hub->settings);
    f->auth = auth_new(f->hub->settings, f->scratch.registry, f->admission, names);
    f->rest =
        rest_new(f->hub->settings, f->auth, f->scratch.registry, f->hub->devices, f->hub->streams);
    (void)registry_watch(f->scratch.registry, on_change, f);
    g_assert_cmpint(add(f->scratch.registry, "dev1", NULL), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_add_policy, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
}

static void
fixture_clear(Fixture *f)
{
    rest_free(f->rest);
    hub_free(f->hub);
    auth_free(f->auth);
    admission_free(f->admission);
    scratch_clear(&f->scratch);
}

/* Submitted behind the look at the token: it is done before the look at the device begins. */
static void
change_start(Fixture *f, Change change, Answer *answer)
{
    const RegistryPolicyEdit narrow = {.kinds = REGISTRY_SCOPE_DEVICES,
                                       .scope = {.devices = (char *[]){(char *)"other", NULL}}};
    const RegistryPolicyEdit wide = {.kinds = REGISTRY_SCOPE_DEVICES};

    answer->done = change == STAYS;
    if (change == NARROWED)
        registry_edit_policy(f->scratch.registry, "anna", &narrow, answer_take, answer);
    if (change == WIDENED)
        registry_edit_policy(f->scratch.registry, "anna", &wide, answer_take, answer);
    if (change == REMOVED)
        registry_remove_policy(f->scratch.registry, "anna", answer_take, answer);
}

static void
test_changes(void)
{
    static const struct {
        const char *scope;
        Change change;
        guint status; /* 0: a stream waits for the device */
    } rows[] = {
        {"", STAYS, 0},      {"devices other\n", STAYS, 404},
        {"", NARROWED, 404}, {"devices other\n", WIDENED, 0},
        {"", REMOVED, 401},  {"devices other\n", REMOVED, 401},
    };

    for (gsize row = 0; row < G_N_ELEMENTS(rows); row++) {
        gint64 until = g_get_monotonic_time() + 10 * SECOND;
        g_auto(Answer) answer = {0};
        Fixture f = {0};
        Asked *asked;

        fixture_make(&f, rows[row].scope);
        asked = asked_new(f.hub, "POST", "/twins/dev1/streams/ssh");
        asked->request.connect_timeout = g_strdup("60");
        asked->request.authorization = token_of(f.scratch.registry, "anna");
        rest_request(f.rest, &asked->request);
        change_start(&f, rows[row].change, &answer);
        while ((asked->status == 0 && streams_count(f.hub->streams) == 0) || !answer.done) {
            g_assert_cmpint(g_get_monotonic_time(), <, until);
            g_main_context_iteration(NULL, TRUE);
        }
        g_assert_cmpuint(asked->status, ==, rows[row].status);
        g_assert_cmpuint(streams_count(f.hub->streams), ==, rows[row].status == 0 ? 1 : 0);
        fixture_clear(&f);
    }
}

/* As above, for requests that read or change the registry: a change is made by what the user
 * reaches when it is made. */
static void
test_registry(void)
{
    static const struct {
        const char *method, *path, *body, *scope;
        Change change;
        guint status;
        gboolean changes; /* the device's record */
    } rows[] = {
        {"GET", "/devices/dev1", NULL, "", STAYS, 200, FALSE},
        {"GET", "/devices/dev1", NULL, "", NARROWED, 404, FALSE},
        {"GET", "/devices/dev1", NULL, "devices other\n", WIDENED, 200, FALSE},
        {"GET", "/devices/dev1", NULL, "", REMOVED, 401, FALSE},
        {"GET", "/devices/dev1/modules", NULL, "", NARROWED, 404, FALSE},
        {"GET", "/devices/dev1/modules", NULL, "", REMOVED, 401, FALSE},
        {"GET", "/twins/dev1", NULL, "", NARROWED, 404, FALSE},
        {"GET", "/twins/dev1", NULL, "", REMOVED, 401, FALSE},
        {"PUT", "/devices/dev1", "{\"status\":\"disabled\"}", "", STAYS, 200, TRUE},
        {"PUT", "/devices/dev1", "{\"status\":\"disabled\"}", "", NARROWED, 404, FALSE},
        {"PUT", "/devices/dev1", "{\"status\":\"disabled\"}", "devices other\n", WIDENED, 200,
         TRUE},
        {"PUT", "/devices/dev1", "{\"status\":\"disabled\"}", "", REMOVED, 401, FALSE},
        {"DELETE", "/devices/dev1", NULL, "", STAYS, 204, TRUE},
        {"DELETE", "/devices/dev1", NULL, "", NARROWED, 404, FALSE},
        {"DELETE", "/devices/dev1", NULL, "", REMOVED, 401, FALSE},
        {"PATCH", "/twins/dev1", "{\"tags\":{\"a\":\"b\"}}", "", STAYS, 200, TRUE},
        {"PATCH", "/twins/dev1", "{\"tags\":{\"a\":\"b\"}}", "", NARROWED, 404, FALSE},
        {"PATCH", "/twins/dev1", "{\"tags\":{\"a\":\"b\"}}", "", REMOVED, 401, FALSE},
        {"POST", "/devices", "[{\"id\":\"dev1\",\"importMode\":\"delete\"}]", "", STAYS, 200, TRUE},
        {"POST", "/devices", "[{\"id\":\"dev1\",\"importMode\":\"delete\"}]", "", NARROWED, 400,
         FALSE},
        {"POST", "/devices", "[{\"id\":\"dev1\",\"importMode\":\"delete\"}]", "", REMOVED, 401,
         FALSE},
    };

    for (gsize row = 0; row < G_N_ELEMENTS(rows); row++) {
        gint64 until = g_get_monotonic_time() + 10 * SECOND;
        g_auto(Answer) answer = {0}, before = {0}, after = {0};
        Fixture f = {0};
        Asked *asked;

        fixture_make(&f, rows[row].scope);
        (void)ANSWER(before, registry_fetch_device, f.scratch.registry, "dev1", NULL);
        asked = asked_new(f.hub, rows[row].method, rows[row].path);
        asked->request.authorization = token_of(f.scratch.registry, "anna");
        asked->request.if_match = g_strdup("*");
        asked->request.body = rows[row].body ? g_string_new(rows[row].body) : NULL;
        rest_request(f.rest, &asked->request);
        change_start(&f, rows[row].change, &answer);
        while (asked->status == 0 || !answer.done) {
            g_assert_cmpint(g_get_monotonic_time(), <, until);
            g_main_context_iteration(NULL, TRUE);
        }
        g_test_message("row %zu", row);
        g_assert_cmpuint(asked->status, ==, rows[row].status);
        (void)ANSWER(after, registry_fetch_device, f.scratch.registry, "dev1", NULL);
        g_assert_cmpint(!after.device || after.device->etag != before.device->etag, ==,
                        rows[row].changes);
        fixture_clear(&f);
    }
}

/* The hub stops while each kind of request is under way: nothing is answered twice or touched. */
static void
test_stops(void)
{
    static const struct {
        const char *method, *path, *body;
    } rows[] = {
        {"GET", "/devices", NULL},
        {"GET", "/devices/dev1", NULL},
        {"GET", "/devices/dev1/modules", NULL},
        {"GET", "/twins/dev1", NULL},
        {"GET", "/statistics/devices", NULL},
        {"PUT", "/devices/dev2", "{}"},
        {"DELETE", "/devices/dev1", NULL},
        {"PATCH", "/twins/dev1", "{}"},
        {"POST", "/devices", "[{\"id\":\"dev1\"},{\"id\":\"dev3\"}]"},
        {"POST", "/devices/query", "{\"query\":\"SELECT * FROM devices\"}"},
    };

    for (gsize row = 0; row < G_N_ELEMENTS(rows); row++)
        for (guint turns = 0; turns < 4; turns++) {
            Fixture f = {0};
            Asked *asked;
            guint status;

            fixture_make(&f, "");
            asked = asked_new(f.hub, rows[row].method, rows[row].path);
            asked->request.authorization = token_of(f.scratch.registry, "anna");
            asked->request.body = rows[row].body ? g_string_new(rows[row].body) : NULL;
            rest_request(f.rest, &asked->request);
            for (guint turn = 0; turn < turns; turn++)
                g_main_context_iteration(NULL, asked->status == 0);
            status = asked->status;
            g_clear_pointer(&f.rest, rest_free);
            registry_close(f.scratch.registry);
            g_assert_cmpuint(asked->status, ==, status);
            fixture_clear(&f);
        }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rest/user-changes", test_changes);
    g_test_add_func("/rest/registry", test_registry);
    g_test_add_func("/rest/stops", test_stops);
    return g_test_run();
}
