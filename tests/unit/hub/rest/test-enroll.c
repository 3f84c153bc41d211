/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many enrolments of an invitation are answered at once: at the bound, one past it, and who
 * keeps no place from others. The registry's answer to each waits until the test lets it go. */
#include "common/codec/sas-token.h"
#include "hub/registry/invitation.h"
#include "hub/rest/enroll.h"
#include "tests/unit/hub/registry/registry-helper.h"
#include "tests/unit/hub/stream/streams-fixture.h"

#define HOST "hub.example"

void __wrap_registry_enroll(Registry *registry, const RegistryEnrollment *asked, RegistryDone done,
                            void *data);

typedef struct {
    RegistryDone done;
    void *data;
} Held;

static GArray *held; /* of Held: enrolments that the registry has not answered */

void
__wrap_registry_enroll(Registry *registry G_GNUC_UNUSED,
                       const RegistryEnrollment *asked G_GNUC_UNUSED, RegistryDone done, void *data)
{
    g_array_append_vals(held, &(Held){done, data}, 1);
}

typedef struct {
    Scratch scratch;
    Hub *hub;
    Admission *admission;
    Auth *auth;
    Enrollments *enrollments;
} Fixture;

static const char *const names[] = {HOST, NULL};
static const guint8 key[32] = "the key of both";

static void
invite(Fixture *f, const char *name)
{
    RegistryInvitation draft = {.name = (char *)name,
                                .kind = REGISTRY_INVITES_GROUP,
                                .uses = 1000,
                                .key = {.len = sizeof key}};
    g_autoptr(RegistryScope) scope = scope_of("devices gw-*\n");
    g_auto(Answer) answer = {0};

    memcpy(draft.key.bytes, key, sizeof key);
    draft.scope = scope;
    g_assert_cmpint(ANSWER(answer, registry_add_invitation, f->scratch.registry, &draft), ==,
                    REGISTRY_OK);
}

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    held = g_array_new(FALSE, FALSE, sizeof(Held));
    f->hub = hub_new(NULL);
    f->admission = admission_new(f->hub->settings);
    f->auth = auth_new(f->hub->settings, f->scratch.registry, f->admission, names);
    f->enrollments = enrollments_new(f->auth, f->scratch.registry, NULL);
    invite(f, "factory");
    invite(f, "other");
}

static void
let_go(guint index)
{
    const Held one = g_array_index(held, Held, index);

    g_array_remove_index(held, index);
    one.done(&(RegistryResult){.code = REGISTRY_STORAGE}, one.data);
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    while (held->len > 0)
        let_go(0);
    enrollments_free(f->enrollments);
    hub_free(f->hub);
    auth_free(f->auth);
    admission_free(f->admission);
    scratch_clear(&f->scratch);
    g_array_unref(held);
}

/* A request to join, until it is answered or waits for the registry. */
static Asked *
ask(Fixture *f, const char *invitation, guint number, const guint8 *with)
{
    g_autofree char *path = g_strdup_printf("/enrollments/%s/devices/gw-%u", invitation, number);
    g_autofree char *resource = g_strdup_printf(HOST "/enrollments/%s", invitation);
    gint64 until = g_get_monotonic_time() + 10 * SECOND;
    guint64 expiry = (guint64)(g_get_real_time() / G_USEC_PER_SEC) + 60;
    Asked *asked = asked_new(f->hub, "PUT", path);
    guint before = held->len;

    asked->request.authorization = sas_token_build(resource, with, sizeof key, expiry, NULL);
    asked->request.body =
        g_string_new("{\"key\": \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}");
    enrollments_request(f->enrollments, &asked->request);
    while (asked->status == 0 && held->len == before) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_main_context_iteration(NULL, TRUE);
    }
    return asked;
}

static void
test_at_once(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const guint8 wrong[32] = "another";
    Asked *first = NULL;

    for (guint i = 0; i < ENROLLMENTS_AT_ONCE; i++) {
        Asked *asked = ask(f, "factory", i, key);

        first = first ? first : asked;
        g_assert_cmpuint(asked->status, ==, 0);
    }
    g_assert_cmpuint(held->len, ==, ENROLLMENTS_AT_ONCE);
    g_assert_cmpuint(ask(f, "factory", 100, key)->status, ==, 503);
    g_assert_cmpuint(held->len, ==, ENROLLMENTS_AT_ONCE);
    g_assert_cmpuint(ask(f, "other", 101, key)->status, ==, 0);
    let_go(0);
    g_assert_cmpuint(first->status, ==, 507);
    g_assert_cmpuint(ask(f, "factory", 102, key)->status, ==, 0);
    g_assert_cmpuint(ask(f, "factory", 103, key)->status, ==, 503);
    let_go(0);
    g_assert_cmpuint(ask(f, "factory", 104, wrong)->status, ==, 401);
    g_assert_cmpuint(ask(f, "factory", 105, key)->status, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/enroll/at-once", Fixture, NULL, set_up, test_at_once, tear_down);
    return g_test_run();
}
