/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/setup/diagnosis.h"
#include "desktop/base/item.h"
#include "desktop/base/text.h"

#include <glib/gi18n.h>

typedef struct {
    const char *code, *text; /* the text is passed through gettext when shown */
} Word;

static const Word steps[] = {
    {"dns", N_("Name")},
    {"proxy", N_("Proxy")},
    {"tcp", N_("Connection")},
    {"tls", N_("TLS")},
    {"clock", N_("Clock")},
    {"credentials", N_("Credentials")},
    {"subscription", N_("Subscription")},
    {"identity", N_("Identity")},
    {"device", N_("Device")},
    {"policy", N_("Accept policy")},
    {"target", N_("Target")},
    {"stream", N_("Stream")},
};

static const Word reasons_to_skip[] = {
    {"earlier", N_("an earlier step failed")},
    {"address", N_("it is an address already")},
    {"proxy", N_("the proxy is not known")},
    {"none", N_("there is none")},
    {"proxied", N_("the proxy has connected us")},
    {"no-date", N_("the hub tells no date")},
    {"no-need", N_("none is needed")},
    {"no-device", N_("no device was named")},
    {"no-stream", N_("no stream was named")},
    {"not-told", N_("the hub does not tell it to this user")},
    {"not-allowed", N_("you may not see it")},
};

/* The causes of streamd, as streamctl doctor has them; here the cure is in the app where it can
 * be. */
static const Word cures[] = {
    {"name-unknown", N_("Check the spelling of the name, and this machine's DNS "
                        "(getent hosts NAME). Behind a proxy that resolves names, set Proxy=.")},
    {"name-timeout", N_("No DNS server answers: check /etc/resolv.conf and the network.")},
    {"proxy-down", N_("Check host and port of the proxy, and that it runs.")},
    {"proxy-timeout", N_("The proxy takes connections and says nothing: is it the right port, and "
                         "the right protocol?")},
    {"proxy-credentials",
     N_("Give the proxy's user and password: its settings are those of the hub, or of streamd.")},
    {"proxy-refused", N_("Ask whoever runs the proxy to allow connections to the hub's port.")},
    {"proxy-unreachable", N_("The proxy itself cannot reach the hub: check the hub's name and "
                             "port, and whether the hub runs.")},
    {"proxy-answer", N_("This is no proxy for HTTP CONNECT, or not a working one: check its "
                        "address.")},
    {"proxy-unusable", N_("Name a proxy that is spoken to without TLS (http:// or socks5://), or "
                          "direct.")},
    {"refused", N_("Nothing listens there: is the hub running, and is this its port?")},
    {"unreachable", N_("There is no way to the hub: check this machine's network and routes.")},
    {"timeout", N_("Nothing answers: a firewall may drop the packets, or the address is wrong.")},
    {"ca-file", N_("The file of trusted certificates cannot be used: check its path and rights.")},
    {"certificate-issuer",
     N_("Join by the hub's newest invitation: the authority that this machine has to trust is in "
        "it. If you did, something on the way opens TLS, or it is another hub.")},
    {"certificate-expired", N_("The hub needs a new certificate; or this machine's clock is "
                               "ahead: check it with date.")},
    {"certificate-not-yet-valid",
     N_("This machine's clock is behind: set it (timedatectl), or "
        "the hub's certificate was made with a clock that was ahead.")},
    {"certificate-name", N_("The certificate is for another name: connect with the name that is "
                            "in it, or give the hub one that has this name.")},
    {"certificate", N_("The hub's certificate is not valid: look at it with openssl s_client.")},
    {"no-tls", N_("There is no TLS: is this the hub's port?")},
    {"tls-cut", N_("The connection was cut during TLS: something on the way may forbid it.")},
    {"clock", N_("Set this machine's clock (timedatectl set-ntp true), or the hub's: tokens are "
                 "good for a limited time.")},
    {"identity", N_("Compare with the hub: is the device or user known and enabled, and the key "
                    "the same? Ask for a new invitation, remove this hub, and join again.")},
    {"own-certificate", N_("Compare with the hub: streamhub device show, and the hub's log, which "
                           "says what was wrong. "
                           "'openssl x509 -in FILE -noout -subject -dates -fingerprint -sha256' "
                           "shows what this device "
                           "has.")},
    {"own-certificate-unasked",
     N_("Switch client-certificates on in the hub's settings and restart it, or give the device a "
        "key.")},
    {"own-certificate-expired",
     N_("Renew the device's certificate: streamd uses the new file at once. Or set this machine's "
        "clock.")},
    {"cloned", N_("A copied image has this identity's key: add a device for one of the two at the "
                  "hub (streamhub device add), and give that machine its own connection string.")},
    {"too-soon",
     N_("Wait a few minutes and try again. The hub is busy, or somebody at this address "
        "has tried wrong credentials recently. The hub lets correct ones in at once.")},
    {"hub-answer", N_("The hub does not answer as a hub does: look at its log.")},
    {"link", N_("The port of the control link cannot be reached: check it, or use "
                "--transport wss, which needs the one port only.")},
    {"no-streams", N_("This hub does not offer device streams.")},
    {"policy-empty", N_("Offer a service, on the page Services.")},
    {"policy", N_("On the device, the page Services shows the rules in their order: the first that "
                  "fits decides.")},
    {"rejected", N_("The device said no: ask whoever runs it.")},
    {"no-consent", N_("A person has to allow it, and nobody did: this app, or streamctl agent, has "
                      "to run on the device.")},
    {"no-handler", N_("The app that takes these streams is not running on the device.")},
    {"no-target",
     N_("The rule leads to a service that is not there: offer it on the device once more.")},
    {"target-refused", N_("Nothing listens at the target's address on the device: start the "
                          "service, or correct the address.")},
    {"target-unreachable", N_("The target's address cannot be reached from the device.")},
    {"target-timed-out", N_("The target does not answer the device: a firewall may be in "
                            "between.")},
    {"away", N_("Ask whoever runs this machine to look at it.")},
    {"request", N_("Check the device's name.")},
    {"offline", N_("Start streamd on the device, and let it check its hub there.")},
    {"not-found", N_("Check the device's name, or add it at the hub: streamhub device add.")},
    {"bad-url", N_("The hub sends streams to a host that is not its own: if that is right, name it "
                   "in the settings of this hub (StreamHosts=).")},
    {"revoked", N_("Enable the device, or the right to connect to it, at the hub.")},
    {"unauthorized", N_("The user needs the permission service-connect at the hub.")},
    {"timed-out", N_("The device does not answer: is it overloaded, or does it wait for a "
                     "person?")},
    {"limit", N_("A limit is reached: close streams, or raise it.")},
    {"resume",
     N_("Have version 0.2 of streamd and of the hub at all three, and neither Resume=no nor "
        "ResumeTime=0 on the device, nor resume = no at the hub.")},
};

#define FIND(words, code) find((words), G_N_ELEMENTS(words), (code))

static const char *
find(const Word *words, gsize count, const char *code)
{
    for (gsize i = 0; i < count; i++) {
        if (g_str_equal(words[i].code, code))
            return _(words[i].text);
    }
    return NULL;
}

const char *
diagnosis_cure(const char *cause)
{
    return FIND(cures, cause);
}

static void
diagnosis_free(Diagnosis *row)
{
    g_free(row->finding);
    g_free(row);
}

/* What a step that went well has found: where the hub is, until when its certificate is good. */
static char *
finding_ok(const char *step, GVariant *details)
{
    const char *host = properties_string(details, "host");
    const gint64 until = (gint64)(properties_number(details, "not-after") / G_USEC_PER_SEC);
    g_autoptr(GDateTime) date = until == 0 ? NULL : g_date_time_new_from_unix_local(until);
    g_autofree char *day = date == NULL ? NULL : g_date_time_format(date, "%x");

    if (g_str_equal(step, "dns"))
        return g_strdup_printf("%s: %s", host, properties_string(details, "addresses"));
    if (g_str_equal(step, "tcp"))
        return g_strdup_printf(_("%s port %u"), host, (guint)properties_number(details, "port"));
    if (g_str_equal(step, "tls") && day != NULL)
        return g_strdup_printf(_("the certificate is good until %s"), day);
    if (g_str_equal(step, "credentials") &&
        g_str_equal(properties_string(details, "state"), "connected"))
        return g_strdup(_("the control link is up"));
    if (g_str_equal(step, "device") &&
        g_str_equal(properties_string(details, "state"), "Connected"))
        return g_strdup(_("it is connected to the hub"));
    return g_strdup(g_str_equal(step, "proxy") ? properties_string(details, "proxy") : "");
}

static Diagnosis *
diagnosis_new(const char *step, const char *result, GVariant *details)
{
    Diagnosis *row = g_new0(Diagnosis, 1);
    const char *name = FIND(steps, step), *why = properties_string(details, "why");
    const char *skipped = FIND(reasons_to_skip, why);

    row->step = name == NULL ? step : name;
    if (g_str_equal(result, "ok")) {
        g_autofree char *found = finding_ok(step, details);

        row->finding = text_plain(found);
    } else if (g_str_equal(result, "skipped")) {
        row->result = DIAGNOSIS_SKIPPED;
        row->finding = text_plain(skipped == NULL ? why : skipped);
    } else {
        row->result = DIAGNOSIS_FAILED;
        row->finding = text_plain(properties_string(details, "message"));
        row->cure = diagnosis_cure(properties_string(details, "cause"));
    }
    return row;
}

GPtrArray *
diagnosis_read(GVariant *checks)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)diagnosis_free);

    for (gsize i = 0; i < g_variant_n_children(checks); i++) {
        g_autoptr(GVariant) details = NULL;
        const char *step, *result;

        g_variant_get_child(checks, i, "(&s&s@a{sv})", &step, &result, &details);
        g_ptr_array_add(rows, diagnosis_new(step, result, details));
    }
    return rows;
}

guint
diagnosis_failures(GPtrArray *rows)
{
    guint count = 0;

    for (guint i = 0; i < rows->len; i++)
        count += ((Diagnosis *)g_ptr_array_index(rows, i))->result == DIAGNOSIS_FAILED ? 1 : 0;
    return count;
}

char *
diagnosis_text(const char *title, GPtrArray *rows)
{
    static const char *const words[] = {N_("ok"), N_("failed"), N_("skipped")};
    g_autoptr(GString) text = g_string_new(title);

    g_string_append_c(text, '\n');
    for (guint i = 0; i < rows->len; i++) {
        const Diagnosis *row = g_ptr_array_index(rows, i);

        g_string_append_printf(text, "%s: %s%s%s\n", row->step, _(words[row->result]),
                               *row->finding != '\0' ? ", " : "", row->finding);
        if (row->cure != NULL)
            g_string_append_printf(text, _("  What helps: %s\n"), row->cure);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
