/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/cli/option.h"

#include <glib/gi18n.h>

static const OptionRow rows[OPTION_LAST - OPTION_OWN] = {
    [OPTION_USER - OPTION_OWN] =
        {"user", VALUE_NONE, NULL,
         N_("Talk to the streamd of the user (the default, but for root without a session)")},
    [OPTION_SYSTEM -
        OPTION_OWN] = {"system", VALUE_NONE, NULL, N_("Talk to the streamd of the machine")},
    [OPTION_NO_ASK_PASSWORD - OPTION_OWN] = {"no-ask-password", VALUE_NONE, NULL,
                                             N_("Never ask for a password, with --system")},
    [OPTION_CONNECTION_STRING_FILE -
        OPTION_OWN] = {"connection-string-file", VALUE_REQUIRED, "FILE|-",
                       N_("Read the connection string from a file, or from standard input")},
    [OPTION_CA - OPTION_OWN] = {"ca", VALUE_REQUIRED, "FILE",
                                N_("The certificates that the hub's must be issued by, in PEM")},
    [OPTION_CERTIFICATE -
        OPTION_OWN] = {"certificate", VALUE_REQUIRED, "FILE",
                       N_("The certificate by which the device proves who it is, in PEM")},
    [OPTION_KEY - OPTION_OWN] = {"key", VALUE_REQUIRED, "FILE|URL",
                                 N_("The key of that certificate: a file that streamd can read and "
                                    "others cannot, or the URL pkcs11:... of one in a token")},
    [OPTION_KEY_PIN_FILE - OPTION_OWN] = {"key-pin-file", VALUE_REQUIRED, "FILE",
                                          N_("A file with the PIN of that token")},
    [OPTION_TRANSPORT -
        OPTION_OWN] = {"transport", VALUE_REQUIRED, "wss|mqtts",
                       N_("How a device's control connection travels; default: wss")},
    [OPTION_MQTT_PORT - OPTION_OWN] = {"mqtt-port", VALUE_REQUIRED, "N",
                                       N_("The port for --transport mqtts; default: 8883")},
    [OPTION_PROXY -
        OPTION_OWN] = {"proxy", VALUE_REQUIRED, "URL",
                       N_("The way to the hub: http://HOST:PORT, socks5://HOST:PORT or direct")},
    [OPTION_PROXY_CREDENTIALS_FILE -
        OPTION_OWN] = {"proxy-credentials-file", VALUE_REQUIRED, "FILE|-",
                       N_("Read USER:PASSWORD for the proxy from a file, or from standard input")},
    [OPTION_ACCEPT_CA - OPTION_OWN] = {"accept-ca", VALUE_NONE, NULL,
                                       N_("Trust the hub's next authority alone"), NULL},
    [OPTION_NO_PROXY -
        OPTION_OWN] = {"no-proxy", VALUE_REQUIRED, "LIST",
                       N_("Names, addresses and networks that are reached without the proxy")},
    [OPTION_HUB -
        OPTION_OWN] = {"hub", VALUE_REQUIRED, "NAME",
                       N_("Through this hub; not needed while there is only one that fits")},
    [OPTION_STREAM -
        OPTION_OWN] = {"stream", VALUE_REQUIRED, "NAME",
                       N_("Streams of this name; a rule may have * and ? as in file names")},
    [OPTION_INITIATOR - OPTION_OWN] = {"initiator", VALUE_REQUIRED, "GLOB",
                                       N_("For streams of this initiator, as the hub names it")},
    [OPTION_POSITION -
        OPTION_OWN] = {"position", VALUE_REQUIRED, "N", N_("Where in the order; 0 is first")},
    [OPTION_ACCEPT - OPTION_OWN] = {"accept", VALUE_REQUIRED, "TARGET",
                                    N_("Accept, and connect the stream to this target")},
    [OPTION_REJECT - OPTION_OWN] = {"reject", VALUE_REQUIRED, "TEXT",
                                    N_("Reject, with a text that the initiator reads")},
    [OPTION_LISTEN -
        OPTION_OWN] = {"listen", VALUE_REQUIRED, "tcp:ADDR:PORT|PORT|unix:PATH",
                       N_("Where to listen; default: a free port of 127.0.0.1 and ::1")},
    [OPTION_BACKGROUND - OPTION_OWN] = {"background", VALUE_NONE, NULL,
                                        N_("Return at once; the tunnel stays until it is closed")},
    [OPTION_SHARED - OPTION_OWN] = {"shared", VALUE_NONE, NULL,
                                    N_("Take connections of other users, and from other machines")},
    [OPTION_WAIT -
        OPTION_OWN] = {"wait", VALUE_OPTIONAL, "SECONDS",
                       N_("Wait for a device that is not connected; default and most: 60")},
    [OPTION_TIMEOUT -
        OPTION_OWN] = {"timeout", VALUE_REQUIRED, "SECONDS",
                       N_("How long to wait for the device's answer; default: 20, most: 60")},
    [OPTION_ALL - OPTION_OWN] = {"all", VALUE_NONE, NULL,
                                 N_("What other users have as well, which may take a password; to close: all of yours")},
    [OPTION_DEBUG -
        OPTION_OWN] = {"debug", VALUE_NONE, NULL,
                       N_("Also offsets, buffers, timers, and what each direction waits for")},
    [OPTION_ONCE -
        OPTION_OWN] = {"once", VALUE_NONE, NULL, N_("Look once and print, also on a terminal")},
    [OPTION_FDPASS -
        OPTION_OWN] = {"fdpass", VALUE_NONE, NULL,
                       N_("Pass the stream to the reader of standard output, and end: for ssh's "
                          "ProxyUseFdpass")},
    [OPTION_SSH_HOST -
        OPTION_OWN] = {"ssh-host", VALUE_NONE, NULL,
                       N_("DEVICE is a host name of ssh: DEVICE.device or DEVICE.HUB.device")},
    [OPTION_TARGET -
        OPTION_OWN] = {"target", VALUE_REQUIRED, "NAME",
                       N_("Connect to this target instead of the one that the rule says")},
    [OPTION_ADDRESS -
        OPTION_OWN] = {"address", VALUE_REQUIRED, "ADDRESS",
                       N_("For streams from this address or network, such as 10.0.0.0/8")},
    [OPTION_WEEKDAYS - OPTION_OWN] = {"weekdays", VALUE_REQUIRED, "DAYS",
                                      N_("On these days only: mon-fri or sat,sun")},
    [OPTION_TIME - OPTION_OWN] = {"time", VALUE_REQUIRED, "HH:MM-HH:MM",
                                  N_("In this window only, in local time; it may pass midnight")},
    [OPTION_HANDLER -
        OPTION_OWN] = {"handler", VALUE_REQUIRED, "NAME",
                       N_("Accept, and give the stream to the app that registers under this name")},
    [OPTION_HANDLER_USER - OPTION_OWN] = {"handler-user", VALUE_REQUIRED, "USER",
                                          N_("Whose app that is; default: yours")},
    [OPTION_ASK -
        OPTION_OWN] = {"ask", VALUE_OPTIONAL, "TARGET",
                       N_("Ask an agent, and connect to this target if the answer is yes")},
    [OPTION_ASK_TIMEOUT -
        OPTION_OWN] = {"ask-timeout", VALUE_REQUIRED, "TIME",
                       N_("How long to wait for the answer; default: 30s, most: 50s")},
    [OPTION_MAX_STREAMS -
        OPTION_OWN] = {"max-streams", VALUE_REQUIRED, "N", N_("So many streams at once")},
    [OPTION_MAX_RATE -
        OPTION_OWN] = {"max-rate", VALUE_REQUIRED, "N", N_("So many new streams a minute")},
    [OPTION_MAX_BYTES - OPTION_OWN] = {"max-bytes", VALUE_REQUIRED, "SIZE",
                                       N_("So many bytes in each stream, both ways together: 10M")},
    [OPTION_MAX_DURATION -
        OPTION_OWN] = {"max-duration", VALUE_REQUIRED, "TIME", N_("So long for each stream: 2h")},
    [OPTION_IDLE_TIMEOUT -
        OPTION_OWN] = {"idle-timeout", VALUE_REQUIRED, "TIME",
                       N_("Close a stream that carries no byte for so long: 10min")},
    [OPTION_STALL_TIMEOUT -
        OPTION_OWN] = {"stall-timeout", VALUE_REQUIRED, "TIME",
                       N_("Close a stream whose bytes nobody takes for so long: 1min")},
    [OPTION_AT -
        OPTION_OWN] = {"at", VALUE_REQUIRED, "MOMENT",
                       N_("As if it were then: 14:30 or '2026-11-21 14:30'; default: now")},
    [OPTION_ALLOWED_USERS -
        OPTION_OWN] = {"allowed-users", VALUE_REQUIRED, "LIST",
                       N_("With --system: only these users and groups, alice,@ops, open "
                          "streams through the hub")},
    [OPTION_AS - OPTION_OWN] = {"as", VALUE_REQUIRED, "ID",
                                N_("Which id to claim with an invitation for a group: that one, or "
                                   "host-name (the default), machine-id or serial"),
                                NULL},
    [OPTION_CHECK - OPTION_OWN] = {"check", VALUE_NONE, NULL,
                                   N_("Say only what is wrong, and exit with 0 when nothing is")},
    [OPTION_CHANGES - OPTION_OWN] = {"changes", VALUE_NONE, NULL,
                                     N_("Only who changed what, and who may not")},
    [OPTION_STREAMS - OPTION_OWN] = {"streams", VALUE_NONE, NULL,
                                     N_("Only the streams: who, from where, how much, how long")},
    [OPTION_SINCE - OPTION_OWN] = {"since", VALUE_REQUIRED, "TIME",
                                   N_("From then on: 2026-11-24, yesterday, -2h")},
    [OPTION_UNTIL - OPTION_OWN] = {"until", VALUE_REQUIRED, "TIME", N_("Up to then")},
    [OPTION_FOLLOW - OPTION_OWN] = {"follow", VALUE_NONE, NULL,
                                    N_("Go on with what comes, until Ctrl-C")},
    [OPTION_FORCE - OPTION_OWN] = {"force", VALUE_NONE, NULL,
                                   N_("Even while streams that came in through it are open; to set: without trying it first"), NULL},
    [OPTION_HOST - OPTION_OWN] = {"host", VALUE_REQUIRED, "HOST[:PORT]",
                                  N_("Where the hub is from now on"), NULL},
    [OPTION_SHARED_ACCESS_KEY_FILE -
        OPTION_OWN] = {"shared-access-key-file", VALUE_REQUIRED, "FILE|-",
                       N_("Read the new key of our identity from a file, or from standard input"),
                       NULL},
    [OPTION_RESUME - OPTION_OWN] = {"resume", VALUE_REQUIRED, "yes|no",
                                    N_("Whether streams go on when their connection is lost; "
                                       "default: yes"),
                                    NULL},
    [OPTION_RESUME_TIME - OPTION_OWN] = {"resume-time", VALUE_REQUIRED, "TIME",
                                         N_("How long a stream waits for another connection; "
                                            "default: 3min, most: 1d, 0: it ends with its own"),
                                         NULL},
    [OPTION_NO_RESUME - OPTION_OWN] = {"no-resume", VALUE_NONE, NULL,
                                       N_("Let the stream end when its connection is lost"), NULL},
    [OPTION_RULES - OPTION_OWN] = {"rules", VALUE_NONE, NULL,
                                   N_("Remove the rules that lead to it, too"), NULL},
    [OPTION_STREAM_HOSTS -
        OPTION_OWN] = {"stream-hosts", VALUE_REQUIRED, "LIST",
                       N_("More hosts that the hub may send streams to, beside its own: "
                          "*.legs.example.com,10.0.0.7")},
};

const OptionTable streamctl_options = {
    .own = rows,
    .count = G_N_ELEMENTS(rows),
    .everywhere = OPTION_LIST(OPTION_USER, OPTION_SYSTEM, OPTION_NO_ASK_PASSWORD),
};
