/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/words.h"
#include "common/base/reason.h"

#include <string.h>

static GVariant *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    GVariant *value = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

    g_assert_no_error(error);
    return value;
}

static void
test_findings(void)
{
    static const struct {
        const char *step, *result, *details, *finding;
    } rows[] = {
        {"dns", "ok", "{'host': <'h'>, 'addresses': <'1.2.3.4'>}", "h: 1.2.3.4"},
        {"tcp", "ok", "{'host': <'h'>, 'port': <uint32 443>}", "h port 443"},
        {"tls", "ok", "{'not-after': <uint64 4102401600000000>}",
         "the certificate is good until 2099-12-31"},
        {"tls", "ok", "{}", ""},
        {"clock", "ok", "{'skew': <int64 -1500000>}", "2 s off the hub's"},
        {"credentials", "ok", "{'state': <'connected'>}", "the control link is up"},
        {"policy", "ok", "{'verdict': <'ask'>, 'rule': <uint32 7>}", "ask (rule 7)"},
        {"policy", "ok", "{'verdict': <'accept'>, 'rule': <uint32 0>}", "accept"},
        {"proxy", "skipped", "{'why': <'none'>}", "there is none"},
        {"resume", "ok", "{'resume-time': <uint64 180000000>}", "streams survive them for 3min"},
        {"resume", "skipped", "{'why': <'resume-off'>}",
         "streams end with them: so it is set here"},
        {"proxy", "skipped", "{'why': <'of the future'>}", "of the future"},
        {"dns", "failed", "{'message': <'no such name'>}", "no such name"},
        {"dns", "worried", "{'message': <'hm'>}", "hm"},
        {"new", "ok", "{'host': <'h'>}", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) details = parse(rows[i].details);
        const DoctorCheck check = {rows[i].step, rows[i].result, details};
        g_autofree char *finding = doctor_finding(&check);

        g_assert_cmpstr(finding, ==, rows[i].finding);
    }
}

static void
test_times(void)
{
    static const struct {
        const char *details, *time;
    } rows[] = {{"{}", ""},
                {"{'time': <uint64 1>}", "1 ms"},
                {"{'time': <uint64 12001>}", "13 ms"},
                {"{'time': <uint64 3449999>}", "3.4 s"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) details = parse(rows[i].details);
        g_autofree char *time = doctor_time(details);

        g_assert_cmpstr(time, ==, rows[i].time);
    }
}

/* Every cause that streamd tells has something that helps. */
static void
test_cures(void)
{
    static const char *const causes[] = {
        "name-unknown",
        "name-timeout",
        "proxy-down",
        "proxy-timeout",
        "proxy-credentials",
        "proxy-refused",
        "proxy-unreachable",
        "proxy-answer",
        "proxy-unusable",
        "refused",
        "unreachable",
        "timeout",
        "ca-file",
        "certificate-issuer",
        "certificate-name",
        "certificate-expired",
        "certificate",
        "certificate-not-yet-valid",
        "no-tls",
        "tls-cut",
        "clock",
        "identity",
        "too-soon",
        "hub-answer",
        "link",
        "no-streams",
        "policy-empty",
    };
    static const Reason reasons[] = {
        REASON_POLICY,           REASON_REJECTED,  REASON_NO_CONSENT,
        REASON_NO_HANDLER,       REASON_NO_TARGET, REASON_TARGET_REFUSED,
        REASON_TARGET_TIMED_OUT, REASON_OFFLINE,   REASON_TARGET_UNREACHABLE,
        REASON_NOT_FOUND,        REASON_REVOKED,   REASON_UNAUTHORIZED,
        REASON_TIMED_OUT,        REASON_LIMIT,     REASON_BAD_URL,
    };

    for (guint i = 0; i < G_N_ELEMENTS(causes); i++)
        g_assert_nonnull(doctor_cure(causes[i]));
    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++)
        g_assert_nonnull(doctor_cure(reason_code(reasons[i])));
    /* Who was only asked to wait may have a good key. */
    g_assert_null(strstr(doctor_cure("too-soon"), "key"));
    g_assert_nonnull(strstr(doctor_cure("too-soon"), "Wait"));
    g_assert_null(doctor_cure("of the future"));
    g_assert_cmpstr(doctor_step("of the future"), ==, "of the future");
    g_assert_cmpstr(doctor_result("of the future"), ==, "of the future");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/doctor/findings", test_findings);
    g_test_add_func("/doctor/times", test_times);
    g_test_add_func("/doctor/cures", test_cures);
    return g_test_run();
}
