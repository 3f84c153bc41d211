/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Invitations in the registry: the bounds of uses and of time, and one past them; the same key and
 * another; two at once; what is closed tells nothing; what is full makes room. */
#include "hub/registry/invitation.h"
#include "tests/unit/hub/registry/registry-helper.h"

#define NOW ((gint64)4000000000 * G_USEC_PER_SEC) /* later than any test runs */

typedef struct {
    gboolean done;
    RegistryCode code;
    char *message;
    RegistryInvitation *invitation;
    RegistryEnrollOutcome outcome;
    gboolean waiting, enabled;
} Reply;

static void
reply_clear(Reply *reply)
{
    g_free(reply->message);
    registry_invitation_free(reply->invitation);
    memset(reply, 0, sizeof *reply);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reply, reply_clear)

static void
reply_begin(const RegistryResult *result, Reply *reply)
{
    g_assert_false(reply->done);
    reply->done = TRUE;
    reply->code = result->code;
    reply->message = g_strdup(result->message);
}

static void
take_invitation(const RegistryResult *result, void *data)
{
    Reply *reply = data;

    reply_begin(result, reply);
    if (result->code == REGISTRY_OK)
        reply->invitation = registry_invitation_copy(registry_result_invitation(result));
}

static void
take_enrollment(const RegistryResult *result, void *data)
{
    Reply *reply = data;

    reply_begin(result, reply);
    if (result->code != REGISTRY_OK)
        return;
    reply->outcome = registry_result_enrollment(result)->outcome;
    reply->waiting = registry_result_enrollment(result)->waiting;
    reply->enabled = registry_result_enrollment(result)->enabled;
}

static void
reply_wait(Reply *reply)
{
    while (!reply->done)
        g_main_context_iteration(NULL, TRUE);
}

typedef struct {
    Scratch scratch;
    Registry *registry;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_make(&f->scratch);
    f->registry = f->scratch.registry;
}

static void
tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    scratch_clear(&f->scratch);
}

/* A group for gw-*, open until NOW. */
static RegistryInvitation *
group_draft(const char *name, guint uses)
{
    RegistryInvitation *draft = g_new0(RegistryInvitation, 1);
    const RegistryScope scope = {.devices = (char *[]){(char *)"gw-*", NULL}};
    char *why = NULL;

    draft->name = g_strdup(name);
    draft->kind = REGISTRY_INVITES_GROUP;
    draft->scope = registry_scope_edit(NULL, &scope, REGISTRY_SCOPE_DEVICES, &why);
    draft->tags = registry_tags_new((const char *const[]){"site=berlin", NULL}, &why);
    draft->uses = uses;
    draft->expires = NOW;
    g_assert_null(why);
    return draft;
}

static RegistryCode
add_invitation(Fixture *f, const RegistryInvitation *draft)
{
    g_auto(Reply) reply = {0};

    registry_add_invitation(f->registry, draft, take_invitation, &reply);
    reply_wait(&reply);
    if (reply.code == REGISTRY_OK)
        g_assert_cmpuint(reply.invitation->key.len, ==, REGISTRY_KEY_NEW);
    return reply.code;
}

static void
add_group(Fixture *f, guint uses)
{
    g_autoptr(RegistryInvitation) draft = group_draft("factory", uses);

    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
}

static void
expect_used(Fixture *f, const char *name, guint used)
{
    g_auto(Reply) reply = {0};

    registry_fetch_invitation(f->registry, name, take_invitation, &reply);
    reply_wait(&reply);
    g_assert_cmpint(reply.code, ==, REGISTRY_OK);
    g_assert_cmpuint(reply.invitation->used, ==, used);
}

static RegistryEnrollment
asking(const char *id, guint8 fill, gint64 now)
{
    RegistryEnrollment asked = {.invitation = (char *)"factory", .id = (char *)id, .now = now};

    asked.key.len = REGISTRY_ENROLLED_KEY_MIN;
    memset(asked.key.bytes, fill, asked.key.len);
    return asked;
}

static void
enroll(Fixture *f, const RegistryEnrollment *asked, Reply *reply)
{
    reply_clear(reply);
    registry_enroll(f->registry, asked, take_enrollment, reply);
    reply_wait(reply);
}

/* Of ID with a key full of FILL, at NOW. */
static RegistryEnrollOutcome
join_at(Fixture *f, const char *id, guint8 fill, gint64 now)
{
    const RegistryEnrollment asked = asking(id, fill, now);
    g_auto(Reply) reply = {0};

    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.code, ==, REGISTRY_OK);
    return reply.outcome;
}

static RegistryEnrollOutcome
join(Fixture *f, const char *id, guint8 fill)
{
    return join_at(f, id, fill, NOW);
}

static void
test_uses(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};

    add_group(f, 2);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_BEFORE);
    expect_used(f, "factory", 1);
    g_assert_cmpint(join(f, "gw-1", 9), ==, ENROLL_TAKEN);
    g_assert_cmpint(join(f, "gw-2", 2), ==, ENROLLED_NEW); /* the last one */
    g_assert_cmpint(join(f, "gw-3", 3), ==, ENROLL_USED_UP);
    g_assert_cmpint(lookup(f->registry, "gw-3", NULL), ==, REGISTRY_NOT_FOUND);
    /* The answer was lost: asked again, also when it is used up. */
    g_assert_cmpint(join(f, "gw-2", 2), ==, ENROLLED_BEFORE);
    g_assert_cmpint(join(f, "gw-2", 9), ==, ENROLL_USED_UP);
    expect_used(f, "factory", 2);
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, f->registry, "gw-2", NULL), ==,
                    REGISTRY_OK);
    g_assert_true(answer.device->admitted && !answer.device->waiting);
    g_assert_cmpstr(registry_tags_get(answer.device->tags, "site"), ==, "berlin");
    g_assert_cmpuint(answer.device->secondary.len, ==, REGISTRY_KEY_NEW);
}

static void
test_removed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Answer) answer = {0};

    add_group(f, 2);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, f->registry, "gw-1", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpint(join(f, "gw-1", 9), ==, ENROLLED_NEW); /* and counts again */
    expect_used(f, "factory", 2);
}

static void
test_expiry(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    add_group(f, 9);
    g_assert_cmpint(join_at(f, "gw-1", 1, NOW), ==, ENROLLED_NEW);
    g_assert_cmpint(join_at(f, "gw-2", 2, NOW + 1), ==, ENROLL_EXPIRED);
    g_assert_cmpint(join_at(f, "gw-1", 1, NOW + 1), ==, ENROLLED_BEFORE);
    g_assert_cmpint(join_at(f, "gw-1", 9, NOW + 1), ==, ENROLL_EXPIRED); /* not: taken */
    expect_used(f, "factory", 1);
}

static void
test_revoked(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Reply) reply = {0};

    add_group(f, 9);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    registry_revoke_invitation(f->registry, "factory", take_invitation, &reply);
    reply_wait(&reply);
    g_assert_cmpint(registry_invitation_state(reply.invitation, NOW), ==,
                    REGISTRY_INVITATION_REVOKED);
    g_assert_cmpint(join(f, "gw-2", 2), ==, ENROLL_REVOKED);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_BEFORE);
    reply_clear(&reply);
    registry_revoke_invitation(f->registry, "other", take_invitation, &reply);
    reply_wait(&reply);
    g_assert_cmpint(reply.code, ==, REGISTRY_NOT_FOUND);
}

static void
test_outside(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const others[] = {"box-1", "gw", "gw-2", "gw-10", "gw-"};
    g_autoptr(RegistryInvitation) draft = group_draft("factory", 9);
    RegistryEnrollment asked = asking("gw-1", 1, NOW);
    g_auto(Reply) reply = {0};

    draft->ids = g_strdup("gw-0\ngw-1\n");
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_cmpint(join(f, others[i], 1), ==, ENROLL_NOT_FOR_IT);
    asked.module = (char *)"m";
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_NOT_FOR_IT);
    asked.module = NULL;
    asked.user = TRUE;
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_NOT_FOR_IT);
    asked.user = FALSE;
    asked.invitation = (char *)"other";
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_NO_INVITATION);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    expect_used(f, "factory", 1);
}

/* Eight ask before any is answered, four times as many as there is room for. */
static void
test_parallel(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    Reply replies[8] = {{0}};
    guint made = 0, refused = 0;

    add_group(f, 2);
    for (guint8 i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autofree char *id = g_strdup_printf("gw-%u", i);
        const RegistryEnrollment asked = asking(id, i, NOW);

        registry_enroll(f->registry, &asked, take_enrollment, &replies[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
        reply_wait(&replies[i]);
        made += replies[i].outcome == ENROLLED_NEW;
        refused += replies[i].outcome == ENROLL_USED_UP;
        reply_clear(&replies[i]);
    }
    g_assert_cmpuint(made, ==, 2);
    g_assert_cmpuint(refused, ==, 6);
    expect_used(f, "factory", 2);
}

/* Two machines that claim the same id at the same time: one is it, the other is told. */
static void
test_parallel_same(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    const RegistryEnrollment one = asking("gw-1", 1, NOW), other = asking("gw-1", 2, NOW);
    g_auto(Reply) first = {0}, second = {0}, again = {0};

    add_group(f, 9);
    registry_enroll(f->registry, &one, take_enrollment, &first);
    registry_enroll(f->registry, &other, take_enrollment, &second);
    registry_enroll(f->registry, &one, take_enrollment, &again);
    reply_wait(&again);
    g_assert_cmpint(first.outcome, ==, ENROLLED_NEW);
    g_assert_cmpint(second.outcome, ==, ENROLL_TAKEN);
    g_assert_cmpint(again.outcome, ==, ENROLLED_BEFORE);
    expect_used(f, "factory", 1);
}

static void
test_approve(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryInvitation) draft = group_draft("factory", 9);
    const RegistryEnrollment asked = asking("gw-1", 1, NOW);
    g_auto(Reply) reply = {0};
    g_auto(Answer) answer = {0};

    draft->approve = TRUE;
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    for (guint i = 0; i < 2; i++) {
        enroll(f, &asked, &reply);
        g_assert_true(reply.waiting && !reply.enabled);
    }
    g_assert_cmpint(reply.outcome, ==, ENROLLED_BEFORE);
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, f->registry, "gw-1", NULL), ==,
                    REGISTRY_OK);
    g_assert_true(answer.device->waiting && !answer.device->admitted);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-1"), ==, REGISTRY_OK);
    g_assert_true(answer.device->admitted && !answer.device->waiting);
    enroll(f, &asked, &reply);
    g_assert_true(!reply.waiting && reply.enabled);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-1"), ==,
                    REGISTRY_INVALID);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-2"), ==,
                    REGISTRY_NOT_FOUND);
    /* A device of the operator's own that is disabled does not wait. */
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "gw-1", NULL, FALSE), ==,
                    REGISTRY_OK);
    g_assert_false(answer.device->waiting);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-1"), ==,
                    REGISTRY_INVALID);
    g_assert_cmpint(ANSWER(answer, registry_lookup_device, f->registry, "gw-1", NULL), ==,
                    REGISTRY_OK);
    g_assert_false(answer.device->enabled);
}

/* A device that waited and was removed does not wait when it is added by hand. */
static void
test_waiting_ends(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryInvitation) draft = group_draft("factory", 9);
    const RegistryDevice device = {.id = (char *)"gw-1"};
    g_auto(Answer) answer = {0};

    draft->approve = TRUE;
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    g_assert_cmpint(ANSWER(answer, registry_remove_device, f->registry, "gw-1", NULL), ==,
                    REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_add_device, f->registry, &device), ==, REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-1"), ==,
                    REGISTRY_INVALID);
    g_assert_cmpint(join(f, "gw-2", 2), ==, ENROLLED_NEW);
    g_assert_cmpint(ANSWER(answer, registry_set_enabled, f->registry, "gw-2", NULL, TRUE), ==,
                    REGISTRY_OK);
    g_assert_cmpint(ANSWER(answer, registry_approve_device, f->registry, "gw-2"), ==,
                    REGISTRY_INVALID);
}

static void
test_user(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryInvitation) draft = group_draft("factory", 1);
    RegistryEnrollment asked = asking("alice", 1, NOW);
    g_auto(Reply) reply = {0};
    g_auto(Answer) answer = {0};

    asked.user = TRUE;
    draft->kind = REGISTRY_INVITES_USER;
    draft->subject = g_strdup("alice");
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID); /* no rights */
    draft->rights = REGISTRY_RIGHT_SERVICE_CONNECT;
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    g_assert_cmpint(join(f, "alice", 1), ==, ENROLL_NOT_FOR_IT); /* as a device */
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLLED_NEW);
    g_assert_cmpint(ANSWER(answer, registry_lookup_policy, f->registry, "alice"), ==, REGISTRY_OK);
    g_assert_cmpint(answer.policy->rights, ==, REGISTRY_RIGHT_SERVICE_CONNECT);
    g_assert_true(registry_scope_is_narrow(answer.policy->scope));
    g_assert_true(memcmp(answer.policy->primary.bytes, asked.key.bytes, asked.key.len) == 0);
    g_assert_cmpuint(answer.policy->secondary.len, ==, REGISTRY_KEY_NEW);
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLLED_BEFORE);
    asked.key.bytes[0]++;
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_USED_UP);
}

static void
test_module(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryInvitation draft = {
        .name = (char *)"factory",
        .kind = REGISTRY_INVITES_DEVICE,
        .subject = (char *)"gw-1",
        .module = (char *)"m",
        .uses = 1,
    };
    RegistryEnrollment asked = asking("gw-1", 1, NOW);
    g_auto(Reply) reply = {0};

    asked.module = (char *)"m";
    g_assert_cmpint(add_invitation(f, &draft), ==, REGISTRY_OK);
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_NO_DEVICE);
    expect_used(f, "factory", 0);
    g_assert_cmpint(add(f->registry, "gw-1", NULL), ==, REGISTRY_OK);
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLLED_NEW);
    g_assert_cmpint(lookup(f->registry, "gw-1", "m"), ==, REGISTRY_OK);
}

static void
test_key_length(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    RegistryEnrollment asked = asking("gw-1", 1, NOW);
    g_auto(Reply) reply = {0};

    add_group(f, 9);
    asked.key.len = REGISTRY_ENROLLED_KEY_MIN - 1;
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.code, ==, REGISTRY_INVALID);
    asked.key.len = REGISTRY_KEY_MAX;
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLLED_NEW);
    /* The beginning of a key is another key. */
    asked.key.len = REGISTRY_KEY_MAX - 1;
    enroll(f, &asked, &reply);
    g_assert_cmpint(reply.outcome, ==, ENROLL_TAKEN);
}

static void
test_names(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RegistryInvitation) draft = group_draft("factory", 1);

    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_EXISTS);
    g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK); /* used up: replaced */
    expect_used(f, "factory", 0);
    draft->uses = 0;
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID);
    draft->uses = REGISTRY_INVITATION_USES_MAX + 1;
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID);
    draft->uses = 1;
    g_free(draft->ids);
    draft->ids = g_strdup("gw-1\ngw 2\n");
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID);
    g_free(draft->ids);
    draft->ids = g_strdup("gw-1"); /* a line without an end */
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID);
    g_clear_pointer(&draft->ids, g_free);
    g_clear_pointer(&draft->scope, registry_scope_unref);
    g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_INVALID);
}

/* As many as may be; then the oldest that is closed goes, and no open one ever does. */
static void
test_full(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(Reply) reply = {0};

    for (guint i = 0; i < REGISTRY_INVITATIONS_MAX; i++) {
        g_autofree char *name = i == 3 ? g_strdup("factory") : g_strdup_printf("group-%04u", i);
        g_autoptr(RegistryInvitation) draft = group_draft(name, 1);

        g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    }
    {
        g_autoptr(RegistryInvitation) draft = group_draft("one-more", 1);

        g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_LIMIT);
        g_assert_cmpint(join(f, "gw-1", 1), ==, ENROLLED_NEW);
        g_assert_cmpint(add_invitation(f, draft), ==, REGISTRY_OK);
    }
    registry_fetch_invitation(f->registry, "factory", take_invitation, &reply);
    reply_wait(&reply);
    g_assert_cmpint(reply.code, ==, REGISTRY_NOT_FOUND);
    expect_used(f, "group-0000", 0);
    expect_used(f, "one-more", 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, func)                                                                            \
    g_test_add("/registry/invitation/" name, Fixture, NULL, set_up, func, tear_down)
    ADD("uses", test_uses);
    ADD("removed", test_removed);
    ADD("expiry", test_expiry);
    ADD("revoked", test_revoked);
    ADD("outside", test_outside);
    ADD("parallel", test_parallel);
    ADD("parallel-same", test_parallel_same);
    ADD("approve", test_approve);
    ADD("waiting-ends", test_waiting_ends);
    ADD("user", test_user);
    ADD("module", test_module);
    ADD("key-length", test_key_length);
    ADD("names", test_names);
    ADD("full", test_full);
    return g_test_run();
}
