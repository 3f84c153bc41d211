/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/cli/option.h"

#include <glib/gi18n.h>

static const OptionRow rows[OPTION_LAST - OPTION_OWN] = {
    [OPTION_STATE_DIR - OPTION_OWN] = {"state-dir", VALUE_REQUIRED, "DIR",
                                       N_("The hub's state folder; default: /var/lib/streamhub"),
                                       NULL},
    [OPTION_ADMIN_SOCKET -
        OPTION_OWN] = {"admin-socket", VALUE_REQUIRED, "PATH",
                       N_("The running hub's socket; default: admin.sock in the state folder"),
                       NULL},
    [OPTION_HOST_NAME - OPTION_OWN] =
        {"host-name", VALUE_REPEATED, "NAME",
         N_("What the hub is called; clients have to connect to that name; may be repeated"), NULL},
    [OPTION_SAN - OPTION_OWN] = {"san", VALUE_REPEATED, "DNS:NAME|IP:ADDRESS",
                                 N_("What else it is called in its certificate; may be repeated"),
                                 NULL},
    [OPTION_LISTEN -
        OPTION_OWN] = {"listen", VALUE_REPEATED, "ADDR:PORT",
                       N_("Serve everything here; port 0 is any that is free; may be repeated. "
                          "[::] takes IPv4 as "
                          "well, unless an IPv4 address with the same port is given too"),
                       NULL},
    [OPTION_MQTT_LISTEN -
        OPTION_OWN] = {"mqtt-listen", VALUE_REPEATED, "ADDR:PORT",
                       N_("Serve here too, announced as MQTT over TLS; may be repeated"), NULL},
    [OPTION_STREAMING_HOST -
        OPTION_OWN] = {"streaming-host", VALUE_REQUIRED, "NAME[:PORT]",
                       N_("The host in the URLs of streams, where it is not the hub's name"), NULL},
    [OPTION_THREADS - OPTION_OWN] = {"threads", VALUE_REQUIRED, "N",
                                     N_("How many threads carry streams; default: one per CPU"),
                                     NULL},
    [OPTION_CONFIG - OPTION_OWN] = {"config", VALUE_REQUIRED, "FILE",
                                    N_("Settings, see streamhub.conf(5)"), NULL},
    [OPTION_GRACE -
        OPTION_OWN] = {"grace", VALUE_REQUIRED, "SECONDS",
                       N_("How long streams may go on after SIGTERM; default: 0, not at all"),
                       NULL},
    [OPTION_TIMEOUT - OPTION_OWN] = {"timeout", VALUE_REQUIRED, "SECONDS",
                                     N_("Wait no longer than this; default: for ever"), NULL},
    [OPTION_CANCEL - OPTION_OWN] = {"cancel", VALUE_NONE, NULL, N_("Take new streams again"), NULL},
    [OPTION_READ_ONLY - OPTION_OWN] = {"read-only", VALUE_NONE, NULL,
                                       N_("Take no change of the registry either"), NULL},
    [OPTION_MODULE -
        OPTION_OWN] = {"module", VALUE_REQUIRED, "M", N_("A module of the device"), NULL},
    [OPTION_RIGHTS - OPTION_OWN] =
        {
            "rights", VALUE_REQUIRED, "RIGHT,...",
            N_("What the user may do, separated by commas: service-connect, device-connect, "
               "registry-read, registry-write"),
            NULL},
    [OPTION_OUTPUT -
        OPTION_OWN] = {"output", VALUE_REQUIRED, "FILE|-",
                       N_("Write the credential to a new file of mode 0600, or to standard output"),
                       NULL},
    [OPTION_EXISTING - OPTION_OWN] =
        {
            "existing", VALUE_NONE, NULL,
            N_("Hand out the key of a user or device that is there already, with all its "
               "rights"),
            NULL},
    [OPTION_SECONDARY -
        OPTION_OWN] = {"secondary", VALUE_NONE, NULL, N_("With the secondary key"), NULL},
    [OPTION_TAG - OPTION_OWN] = {"tag", VALUE_REPEATED, "KEY=VALUE",
                                 N_("A tag of devices; may be repeated"), NULL},
    [OPTION_NO_TAG - OPTION_OWN] = {"no-tag", VALUE_REPEATED, "KEY",
                                    N_("Take the tag of this key away; may be repeated"), NULL},
    [OPTION_COMMENT - OPTION_OWN] = {"comment", VALUE_REQUIRED, "TEXT",
                                     N_("A remark, up to 256 bytes; an empty one takes it away"),
                                     NULL},
    [OPTION_STATE - OPTION_OWN] = {"state", VALUE_REQUIRED, "connected|away|never|refused",
                                   N_("Only those that are connected now, were once, never were, "
                                      "or were refused last"),
                                   NULL},
    [OPTION_SORT - OPTION_OWN] = {"sort", VALUE_REQUIRED, "id|last-seen|state",
                                  N_("In which order; default: id"), NULL},
    [OPTION_COLUMNS - OPTION_OWN] = {"columns", VALUE_REPEATED, "COLUMN,...",
                                     N_("What to show of each, separated by commas"), NULL},
    [OPTION_DEVICES - OPTION_OWN] =
        {"devices", VALUE_REPEATED, "PATTERN",
         N_(
             "Devices with such an id, * and ? as in a shell: those that the user reaches, "
             "or that may join; may be repeated"),
         NULL},
    [OPTION_STREAMS -
        OPTION_OWN] = {"streams", VALUE_REPEATED, "PATTERN",
                       N_("The user may open streams of such a name; may be repeated"), NULL},
    [OPTION_EXPIRES -
        OPTION_OWN] = {"expires", VALUE_REQUIRED, "TIME",
                       N_("Until when it is good: a span from now (7d), a time (2027-01-31T12:00), "
                          "or never"),
                       NULL},
    [OPTION_STREAMS_MAX - OPTION_OWN] = {"streams-max", VALUE_REQUIRED, "N",
                                         N_("Streams of the user at once; 0: as many as the hub "
                                            "lets it"),
                                         NULL},
    [OPTION_OPENS_PER_MINUTE -
        OPTION_OWN] = {"opens-per-minute", VALUE_REQUIRED, "N",
                       N_("New streams of the user in a minute; 0: as many as the hub lets it"),
                       NULL},
    [OPTION_BYTES_PER_DAY -
        OPTION_OWN] = {"bytes-per-day", VALUE_REQUIRED, "SIZE",
                       N_("Bytes of all the user's streams, both ways, on a day in UTC; 0: any"),
                       NULL},
    [OPTION_THUMBPRINT - OPTION_OWN] =
        {"thumbprint", VALUE_REPEATED, "HEX",
         N_("The SHA-1 or SHA-256 of a certificate that the device has instead of keys; up to two"),
         NULL},
    [OPTION_CERTIFICATE - OPTION_OWN] = {"certificate", VALUE_REPEATED, "FILE",
                                         N_("The same, of the certificate in this PEM file"), NULL},
    [OPTION_CA - OPTION_OWN] = {"ca", VALUE_NONE, NULL,
                                N_("The device has a certificate with its id, of an authority "
                                   "in the setting device-ca"),
                                NULL},
    [OPTION_KEYS -
        OPTION_OWN] = {"keys", VALUE_NONE, NULL,
                       N_("The device has keys, and no certificate counts; of an export: with "
                          "the keys of the devices, which are credentials"),
                       NULL},
    [OPTION_UPDATE -
        OPTION_OWN] = {"update", VALUE_NONE, NULL, N_("Overwrite what is there and differs"), NULL},
    [OPTION_DRY_RUN - OPTION_OWN] = {"dry-run", VALUE_NONE, NULL,
                                     N_("Say what would be done, and change nothing"), NULL},
    [OPTION_SINCE_UPGRADE -
        OPTION_OWN] = {"since-upgrade", VALUE_NONE, NULL,
                       N_("List what has changed since the upgrade, and copy nothing"), NULL},
    [OPTION_ALL - OPTION_OWN] = {"all", VALUE_NONE, NULL, N_("Every device and module"), NULL},
    [OPTION_USES - OPTION_OWN] = {"uses", VALUE_REQUIRED, "N",
                                  N_("How many may join by the invitation; default: 1"), NULL},
    [OPTION_USER_EXPIRES -
        OPTION_OWN] = {"user-expires", VALUE_REQUIRED, "TIME",
                       N_("Until when the user is good, once it has joined; as --expires"), NULL},
    [OPTION_WITH_KEY -
        OPTION_OWN] = {"with-key", VALUE_NONE, NULL,
                       N_("Write the key itself, for a client that cannot make one: good for "
                          "whoever has the file, for ever"),
                       NULL},
    [OPTION_IDS - OPTION_OWN] = {"ids", VALUE_REQUIRED, "FILE",
                                 N_("Only devices with these ids may join, a line each"), NULL},
    [OPTION_APPROVE -
        OPTION_OWN] = {"approve", VALUE_NONE, NULL,
                       N_("A device that joins waits until 'streamhub device approve'"), NULL},
    [OPTION_DUE - OPTION_OWN] = {"due", VALUE_NONE, NULL,
                                 N_("Only when it ends within 30 days, and is of the hub's own "
                                    "authority"),
                                 NULL},
    [OPTION_FINISH - OPTION_OWN] = {"finish", VALUE_NONE, NULL,
                                    N_("Show the next authority alone: whoever does not know it "
                                       "is shut out"),
                                    NULL},
    [OPTION_DEVICE - OPTION_OWN] = {"device", VALUE_REQUIRED, "ID[/MODULE]",
                                    N_("Only what is about this device"), NULL},
    [OPTION_USER - OPTION_OWN] = {"user", VALUE_REQUIRED, "NAME",
                                  N_("Only what this user did, or what was done to it"), NULL},
    [OPTION_RESULT - OPTION_OWN] = {"result", VALUE_REQUIRED, "ok|failed|CODE",
                                    N_("Only requests and ends of streams that went well, went "
                                       "wrong, or have this code or reason"),
                                    NULL},
    [OPTION_SINCE - OPTION_OWN] =
        {"since", VALUE_REQUIRED, "TIME",
         N_("From then on: 2026-11-24, '2026-11-24 12:00', 12:00, yesterday, today, or 2h (ago)"),
         NULL},
    [OPTION_UNTIL - OPTION_OWN] = {"until", VALUE_REQUIRED, "TIME",
                                   N_("Up to then, in the same forms; a stream that was still open "
                                      "then counts by its end"),
                                   NULL},
    [OPTION_KIND - OPTION_OWN] = {"kind", VALUE_REPEATED, "requests|ends|changes",
                                  N_("Only requests for streams, ends of streams, or changes of "
                                     "registry and hub; may be repeated"),
                                  NULL},
    [OPTION_LINES - OPTION_OWN] = {"lines", VALUE_REQUIRED, "N",
                                   N_("Only the last N; with --follow 10, unless --since is given"),
                                   "-n"},
    [OPTION_FOLLOW - OPTION_OWN] = {"follow", VALUE_NONE, NULL,
                                    N_("Go on with what is recorded from now on"), "-f"},
    [OPTION_HEAD - OPTION_OWN] = {"head", VALUE_REPEATED, "HASH",
                                  N_("A hash that was noted before has to be there; may be "
                                     "repeated"),
                                  NULL},
    [OPTION_JOURNAL - OPTION_OWN] = {"journal", VALUE_OPTIONAL, "DIR",
                                     N_("So have those that the journal was told; default: this "
                                        "machine's"),
                                     NULL},
};

const OptionTable streamhub_options = {
    .own = rows,
    .count = G_N_ELEMENTS(rows),
    .everywhere = OPTION_LIST(OPTION_STATE_DIR, OPTION_ADMIN_SOCKET),
};
