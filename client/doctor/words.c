/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/doctor/words.h"

#include "client/bus/bus.h"
#include "common/codec/quantity.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    const char *code;
    const char *text; /* passed through gettext when shown */
} DoctorText;

static const DoctorText steps[] = {
    {"bus", N_("Bus")},
    {"streamd", N_("streamd")},
    {"tunnels", N_("Tunnels")},
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
    {"resume", N_("Lost connections")},
};

static const DoctorText results[] = {
    {"ok", N_("ok")},
    {"failed", N_("failed")},
    {"skipped", N_("skipped")},
    {"limited", N_("limited")},
};

static const DoctorText reasons_to_skip[] = {
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
    {"resume-off", N_("streams end with them: so it is set here")},
};

/* By cause: streamd's own codes, and reasons for which streams end. */
static const DoctorText cures[] = {
    {"version", N_("Restart streamd: it is still running the previously installed version.")},
    {"closed-clients", N_("Let such clients use a tunnel on a Unix socket: streamctl tunnel open "
                          "--listen unix:PATH. Or run Linux 6.17 or later.")},
    {"name-unknown", N_("Check the spelling of the name, and this machine's DNS "
                        "(getent hosts NAME). Behind a proxy that resolves names, set Proxy=.")},
    {"name-timeout", N_("No DNS server answers: check /etc/resolv.conf and the network.")},
    {"proxy-down", N_("Check host and port of the proxy, and that it runs.")},
    {"proxy-timeout", N_("The proxy takes connections and says nothing: is it the right port, and "
                         "the right protocol?")},
    {"proxy-credentials", N_("Set the proxy's user and password: ProxyCredentialsFile=, or "
                             "streamctl hub add --proxy-credentials-file.")},
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
     N_("Trust the hub's own authority with CaFile= or --ca FILE. Where "
        "that is set, something on the way opens TLS, or it is another hub.")},
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
                    "the same? Get a new connection string there.")},
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
    {"policy-empty", N_("Accept something: streamctl accept-policy add --stream NAME --accept "
                        "TARGET.")},
    {"policy", N_("On the device, 'streamctl accept-policy test STREAM' names the rule that "
                  "decides.")},
    {"rejected", N_("The device said no: ask whoever runs it.")},
    {"no-consent", N_("A person has to allow it, and nobody did: run streamctl agent on the "
                      "device.")},
    {"no-handler", N_("The app that takes these streams is not running on the device.")},
    {"no-target", N_("The rule names a target that is not there: streamctl target add on the "
                     "device.")},
    {"target-refused", N_("Nothing listens at the target's address on the device: start the "
                          "service, or correct the address.")},
    {"target-unreachable", N_("The target's address cannot be reached from the device.")},
    {"target-timed-out", N_("The target does not answer the device: a firewall may be in "
                            "between.")},
    {"away", N_("Look at it as root: sudo streamctl --system doctor.")},
    {"offline", N_("Start streamd on the device, and run streamctl doctor there.")},
    {"request", N_("Check the device's name.")},
    {"not-found", N_("Check the device's name, or add it at the hub: streamhub device add.")},
    {"bad-url", N_("The hub sends streams to a host that is not its own: if that is right, name it "
                   "with --stream-hosts or StreamHosts=.")},
    {"revoked", N_("Enable the device, or the right to connect to it, at the hub.")},
    {"unauthorized", N_("The user needs the permission service-connect at the hub.")},
    {"timed-out", N_("The device does not answer: is it overloaded, or does it wait for a "
                     "person?")},
    {"limit", N_("A limit is reached: close streams, or raise it.")},
    {"resume",
     N_("Have version 0.2 of streamd and of the hub at all three, and neither Resume=no nor "
        "ResumeTime=0 on the device, nor resume = no at the hub.")},
};

static const char *
doctor_find(const DoctorText *texts, gsize count, const char *code)
{
    for (gsize i = 0; i < count; i++)
        if (strcmp(texts[i].code, code) == 0)
            return _(texts[i].text);
    return NULL;
}

#define DOCTOR_FIND(texts, code) doctor_find((texts), G_N_ELEMENTS(texts), (code))

const char *
doctor_step(const char *step)
{
    const char *text = DOCTOR_FIND(steps, step);

    return text != NULL ? text : step;
}

const char *
doctor_result(const char *result)
{
    const char *text = DOCTOR_FIND(results, result);

    return text != NULL ? text : result;
}

const char *
doctor_cure(const char *cause)
{
    return DOCTOR_FIND(cures, cause);
}

static char *
doctor_finding_name(GVariant *details)
{
    return g_strdup_printf("%s: %s", bus_string(details, "host"), bus_string(details, "addresses"));
}

static char *
doctor_finding_proxy(GVariant *details)
{
    return g_strdup(bus_string(details, "proxy"));
}

static char *
doctor_finding_tcp(GVariant *details)
{
    return g_strdup_printf(_("%s port %u"), bus_string(details, "host"),
                           (guint)bus_number(details, "port"));
}

static char *
doctor_finding_tls(GVariant *details)
{
    gint64 until = (gint64)(bus_number(details, "not-after") / G_USEC_PER_SEC);
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(until);
    g_autofree char *text = date != NULL ? g_date_time_format(date, "%F") : NULL;

    return until != 0 && text != NULL ? g_strdup_printf(_("the certificate is good until %s"), text)
                                      : g_strdup("");
}

static char *
doctor_finding_clock(GVariant *details)
{
    gint64 skew = 0;

    (void)g_variant_lookup(details, "skew", "x", &skew);
    return g_strdup_printf(_("%.0f s off the hub's"), (double)ABS(skew) / G_USEC_PER_SEC);
}

static char *
doctor_finding_credentials(GVariant *details)
{
    if (strcmp(bus_string(details, "state"), "connected") == 0)
        return g_strdup(_("the control link is up"));
    return g_strdup("");
}

static char *
doctor_finding_device(GVariant *details)
{
    if (strcmp(bus_string(details, "state"), "Connected") == 0)
        return g_strdup(_("it is connected to the hub"));
    return g_strdup("");
}

static char *
doctor_finding_policy(GVariant *details)
{
    guint rule = (guint)bus_number(details, "rule");
    const char *verdict = bus_string(details, "verdict");

    if (rule != 0)
        return g_strdup_printf(_("%s (rule %llu)"), verdict, (unsigned long long)rule);
    return g_strdup(verdict);
}

static char *
doctor_finding_resume(GVariant *details)
{
    g_autofree char *time = quantity_format_time(bus_number(details, "resume-time"));

    /* TRANSLATORS: lost connections, and for how long: "3min" */
    return g_strdup_printf(_("streams survive them for %s"), time);
}

static char *
doctor_finding_version(GVariant *details)
{
    return g_strdup_printf(_("version %s"), bus_string(details, "version"));
}

static const struct {
    const char *step;
    char *(*finding)(GVariant *details);
} findings[] = {
    {"streamd", doctor_finding_version},
    {"dns", doctor_finding_name},
    {"proxy", doctor_finding_proxy},
    {"tcp", doctor_finding_tcp},
    {"tls", doctor_finding_tls},
    {"clock", doctor_finding_clock},
    {"credentials", doctor_finding_credentials},
    {"device", doctor_finding_device},
    {"policy", doctor_finding_policy},
    {"resume", doctor_finding_resume},
};

char *
doctor_finding(const DoctorCheck *check)
{
    const char *why = bus_string(check->details, "why");

    if (strcmp(check->result, "skipped") == 0)
        return g_strdup(DOCTOR_FIND(reasons_to_skip, why) ? DOCTOR_FIND(reasons_to_skip, why)
                                                          : why);
    if (strcmp(check->result, "ok") != 0)
        return g_strdup(bus_string(check->details, "message"));
    for (guint i = 0; i < G_N_ELEMENTS(findings); i++)
        if (strcmp(findings[i].step, check->step) == 0)
            return findings[i].finding(check->details);
    return g_strdup("");
}

char *
doctor_time(GVariant *details)
{
    guint64 time = bus_number(details, "time");

    if (time == 0)
        return g_strdup("");
    if (time < G_USEC_PER_SEC)
        return g_strdup_printf(_("%u ms"), (guint)((time + 999) / 1000));
    return g_strdup_printf(_("%.1f s"), (double)time / G_USEC_PER_SEC);
}
