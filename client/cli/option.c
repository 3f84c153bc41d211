/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/option.h"

#include <glib/gi18n.h>
#include <string.h>

static const OptionRow rows[OPTION_LAST] = {
    [OPTION_USER] =
        {"user", VALUE_NONE, NULL,
         N_("Talk to the streamd of the user (the default, but for root without a session)")},
    [OPTION_SYSTEM] = {"system", VALUE_NONE, NULL, N_("Talk to the streamd of the machine")},
    [OPTION_JSON] = {"json", VALUE_NONE, NULL, N_("Print JSON, for programs"), "-j"},
    [OPTION_HELP] = {"help", VALUE_NONE, NULL, N_("Print the help of a verb, or of all"), "-h"},
    [OPTION_VERSION] = {"version", VALUE_NONE, NULL, N_("Print the version")},
    [OPTION_NO_ASK_PASSWORD] = {"no-ask-password", VALUE_NONE, NULL,
                                N_("Never ask for a password, with --system")},
    [OPTION_COLOR] = {"color", VALUE_REQUIRED, "auto|always|never",
                      N_("When to print in colour; auto, the default: on a terminal")},
    [OPTION_NO_LEGEND] = {"no-legend", VALUE_NONE, NULL, N_("Print tables without their titles")},
    [OPTION_FULL] = {"full", VALUE_NONE, NULL,
                     N_("Print tables in full width, even if the terminal is narrower"), "-l"},
    [OPTION_CONNECTION_STRING_FILE] =
        {"connection-string-file", VALUE_REQUIRED, "FILE|-",
         N_("Read the connection string from a file, or from standard input")},
    [OPTION_CA] = {"ca", VALUE_REQUIRED, "FILE",
                   N_("The certificates that the hub's must be issued by, in PEM")},
    [OPTION_TRANSPORT] = {"transport", VALUE_REQUIRED, "wss|mqtts",
                          N_("How a device's control connection travels; default: wss")},
    [OPTION_MQTT_PORT] = {"mqtt-port", VALUE_REQUIRED, "N",
                          N_("The port for --transport mqtts; default: 8883")},
    [OPTION_PROXY] = {"proxy", VALUE_REQUIRED, "URL",
                      N_("The way to the hub: http://HOST:PORT, socks5://HOST:PORT or direct")},
    [OPTION_PROXY_CREDENTIALS_FILE] =
        {"proxy-credentials-file", VALUE_REQUIRED, "FILE|-",
         N_("Read USER:PASSWORD for the proxy from a file, or from standard input")},
    [OPTION_NO_PROXY] = {"no-proxy", VALUE_REQUIRED, "LIST",
                         N_("Names, addresses and networks that are reached without the proxy")},
    [OPTION_HUB] = {"hub", VALUE_REQUIRED, "NAME",
                    N_("Through this hub; not needed while there is only one that fits")},
    [OPTION_STREAM] = {"stream", VALUE_REQUIRED, "NAME",
                       N_("Streams of this name; a rule may have * and ? as in file names")},
    [OPTION_INITIATOR] = {"initiator", VALUE_REQUIRED, "GLOB",
                          N_("For streams of this initiator, as the hub names it")},
    [OPTION_POSITION] = {"position", VALUE_REQUIRED, "N", N_("Where in the order; 0 is first")},
    [OPTION_ACCEPT] = {"accept", VALUE_REQUIRED, "TARGET",
                       N_("Accept, and connect the stream to this target")},
    [OPTION_REJECT] = {"reject", VALUE_REQUIRED, "TEXT",
                       N_("Reject, with a text that the initiator reads")},
    [OPTION_LISTEN] = {"listen", VALUE_REQUIRED, "tcp:ADDR:PORT|PORT|unix:PATH",
                       N_("Where to listen; default: a free port of 127.0.0.1 and ::1")},
    [OPTION_BACKGROUND] = {"background", VALUE_NONE, NULL,
                           N_("Return at once; the tunnel stays until it is closed")},
    [OPTION_SHARED] = {"shared", VALUE_NONE, NULL,
                       N_("Take connections of other users, and from other machines")},
    [OPTION_WAIT] = {"wait", VALUE_OPTIONAL, "SECONDS",
                     N_("Wait for a device that is not connected; default and most: 60")},
    [OPTION_TIMEOUT] = {"timeout", VALUE_REQUIRED, "SECONDS",
                        N_("How long to wait for the device's answer; default: 20, most: 60")},
    [OPTION_ALL] = {"all", VALUE_NONE, NULL,
                    N_("What other users have as well, which may take a password")},
    [OPTION_ONCE] = {"once", VALUE_NONE, NULL, N_("Look once and print, also on a terminal")},
    [OPTION_FDPASS] = {"fdpass", VALUE_NONE, NULL,
                       N_("Pass the stream to the reader of standard output, and end: for ssh's "
                          "ProxyUseFdpass")},
    [OPTION_SSH_HOST] = {"ssh-host", VALUE_NONE, NULL,
                         N_("DEVICE is a host name of ssh: DEVICE.device or DEVICE.HUB.device")},
    [OPTION_TARGET] = {"target", VALUE_REQUIRED, "NAME",
                       N_("Connect to this target instead of the one that the rule says")},
    [OPTION_ADDRESS] = {"address", VALUE_REQUIRED, "ADDRESS",
                        N_("For streams from this address or network, such as 10.0.0.0/8")},
    [OPTION_WEEKDAYS] = {"weekdays", VALUE_REQUIRED, "DAYS",
                         N_("On these days only: mon-fri or sat,sun")},
    [OPTION_TIME] = {"time", VALUE_REQUIRED, "HH:MM-HH:MM",
                     N_("In this window only, in local time; it may pass midnight")},
    [OPTION_HANDLER] =
        {"handler", VALUE_REQUIRED, "NAME",
         N_("Accept, and give the stream to the app that registers under this name")},
    [OPTION_HANDLER_USER] = {"handler-user", VALUE_REQUIRED, "USER",
                             N_("Whose app that is; default: yours")},
    [OPTION_ASK] = {"ask", VALUE_OPTIONAL, "TARGET",
                    N_("Ask an agent, and connect to this target if the answer is yes")},
    [OPTION_ASK_TIMEOUT] = {"ask-timeout", VALUE_REQUIRED, "TIME",
                            N_("How long to wait for the answer; default: 30s, most: 50s")},
    [OPTION_MAX_STREAMS] = {"max-streams", VALUE_REQUIRED, "N", N_("So many streams at once")},
    [OPTION_MAX_RATE] = {"max-rate", VALUE_REQUIRED, "N", N_("So many new streams a minute")},
    [OPTION_MAX_BYTES] = {"max-bytes", VALUE_REQUIRED, "SIZE",
                          N_("So many bytes in each stream, both ways together: 10M")},
    [OPTION_MAX_DURATION] = {"max-duration", VALUE_REQUIRED, "TIME",
                             N_("So long for each stream: 2h")},
    [OPTION_IDLE_TIMEOUT] = {"idle-timeout", VALUE_REQUIRED, "TIME",
                             N_("Close a stream that carries no byte for so long: 10min")},
    [OPTION_STALL_TIMEOUT] = {"stall-timeout", VALUE_REQUIRED, "TIME",
                              N_("Close a stream whose bytes nobody takes for so long: 1min")},
    [OPTION_AT] = {"at", VALUE_REQUIRED, "MOMENT",
                   N_("As if it were then: 14:30 or '2026-11-21 14:30'; default: now")},
    [OPTION_ALLOWED_USERS] = {"allowed-users", VALUE_REQUIRED, "LIST",
                              N_("With --system: only these users and groups, alice,@ops, open "
                                 "streams through the hub")},
    [OPTION_STREAM_HOSTS] = {"stream-hosts", VALUE_REQUIRED, "LIST",
                             N_("More hosts that the hub may send streams to, beside its own: "
                                "*.legs.example.com,10.0.0.7")},
};

const OptionRow *
option_row(Option option)
{
    return &rows[option];
}

gboolean
option_find(const char *name, gsize length, Option *ret_option)
{
    for (guint i = 0; i < OPTION_LAST; i++)
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0) {
            *ret_option = (Option)i;
            return TRUE;
        }
    return FALSE;
}

const OptionRow *
option_of_brief(const char *text)
{
    for (guint i = 0; i < OPTION_LAST; i++)
        if (g_strcmp0(rows[i].brief, text) == 0)
            return &rows[i];
    return NULL;
}
