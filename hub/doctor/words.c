/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/doctor/words.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
    const char *code;
    const char *text; /* passed through gettext when shown */
} Words;

static const Words steps[] = {
    {"settings", N_("Settings")},
    {"disk", N_("Disk")},
    {"registry", N_("Registry")},
    {"clock", N_("Clock")},
    {"certificate", N_("Certificate")},
    {"hub", N_("Hub")},
    {"limits", N_("Limits")},
    {"descriptors", N_("Descriptors")},
    {"dns", N_("Name")},
    {"https", N_("HTTPS")},
    {"mqtts", N_("MQTT")},
    {"outside", N_("As a client")},
};

static const Words results[] = {
    [DOCTOR_OK] = {"ok", N_("ok")},
    [DOCTOR_FAILED] = {"failed", N_("failed")},
    [DOCTOR_LIMITED] = {"limited", N_("limited")},
    [DOCTOR_SKIPPED] = {"skipped", N_("skipped")},
};

static const Words cures[] = {
    {"settings", N_("Correct the line; 'streamhub settings' prints every setting. A hub that runs "
                    "goes on with what it read before.")},
    {"state-missing", N_("Make it with 'streamhub init --host-name NAME', or name the right one "
                         "with --state-dir.")},
    {"state-unfinished", N_("Run 'streamhub init' again: it removes what there is and begins "
                            "again.")},
    {"state-rights", N_("Run this as root or as the hub's user, and let the folder belong to the "
                        "hub's user alone (mode 0700).")},
    {"disk-full", N_("Make room: until then nothing can be changed in the registry. Streams go "
                     "on.")},
    {"disk-read-only", N_("Make the disk writable (mount -o remount,rw), and look at the kernel's "
                          "log for its faults.")},
    {"registry-damaged", N_("Stop the hub and put a backup in its place: streamhub restore FILE.")},
    {"registry-rights", N_("Let it belong to the hub's user, with mode 0600.")},
    {"registry-newer", N_("Install the version of streamhub that wrote it, or restore a backup of "
                          "this one.")},
    {"registry-older", N_("Restart the hub: it upgrades the registry when it starts, and keeps the "
                          "former one.")},
    {"clock-behind", N_("Set this machine's clock (timedatectl set-ntp true): with a wrong one, "
                        "tokens and certificates are refused.")},
    {"clock-free", N_("Let a time service set it (timedatectl set-ntp true): tokens are good for a "
                      "limited time.")},
    {"certificate", N_("Install another: streamhub certificate install CERT KEY. The hub goes on "
                       "with the one that it has read.")},
    {"certificate-soon", N_("Install another before it ends: streamhub certificate install CERT "
                            "KEY.")},
    {"not-running", N_("Start it (systemctl start streamhub), and look at its log: journalctl -u "
                       "streamhub.")},
    {"not-allowed", N_("Run this as root, or as the hub's user.")},
    {"no-answer", N_("It is there and does not answer: look at its log, and at what takes the "
                     "processor (journalctl -u streamhub, top).")},
    {"too-few-descriptors", N_("Raise LimitNOFILE= of the service (systemctl edit streamhub), or "
                               "lower connections-max.")},
    {"little-memory", N_("Lower connections-max, or give the machine more memory: with that many "
                         "connections the hub would be killed.")},
    {"descriptors-scarce", N_("Close what is not needed, or raise LimitNOFILE= of the service. "
                              "Until then new connections wait.")},
    {"name-unknown", N_("Enter the name in the DNS, or correct public-address: clients look it "
                        "up.")},
    {"name-timeout", N_("No DNS server answers: check /etc/resolv.conf and the network.")},
    {"no-listener", N_("Give the hub an address to listen on: --listen, or streamhub.socket.")},
    {"refused", N_("Nothing listens there: is it the right address and port?")},
    {"unreachable", N_("There is no way to it: check addresses, routes and firewall.")},
    {"timeout", N_("Nothing answers: a firewall may drop the packets, or the hub is overloaded.")},
    {"tls", N_("Something else answers there, or a certificate that clients do not take: 'openssl "
               "s_client -connect NAME:PORT' shows it.")},
    {"answer", N_("Something else than a hub answers there: is it the right port, and does the "
                  "balancer pass TCP on as it is?")},
};

static const char *
words_find(const Words *words, gsize count, const char *code)
{
    for (gsize i = 0; code && i < count; i++)
        if (strcmp(words[i].code, code) == 0)
            return _(words[i].text);
    return NULL;
}

const char *
doctor_step_name(const char *step)
{
    const char *name = words_find(steps, G_N_ELEMENTS(steps), step);

    return name ? name : step;
}

const char *
doctor_result_name(DoctorResult result)
{
    return _(results[result].text);
}

const char *
doctor_result_code(DoctorResult result)
{
    return results[result].code;
}

const char *
doctor_cure(const char *cause)
{
    return words_find(cures, G_N_ELEMENTS(cures), cause);
}
