/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/verb/cli.h"

#include "hub/cli/scope.h"
#include "hub/verb/verb.h"
#include "hub/verb/words.h"

#include <glib/gi18n.h>

#define MODULE OPTION_MODULE
#define NAMES OPTION_HOST_NAME
#define SERVE                                                                                      \
    NAMES, OPTION_LISTEN, OPTION_MQTT_LISTEN, OPTION_STREAMING_HOST, OPTION_THREADS,               \
    OPTION_CONFIG, OPTION_GRACE
#define DRAIN OPTION_TIMEOUT, OPTION_CANCEL, OPTION_READ_ONLY
#define OUTPUT OPTION_OUTPUT
#define AUTH OPTION_THUMBPRINT, OPTION_CERTIFICATE, OPTION_CA, OPTION_KEYS
#define AUTH_USAGE "[--thumbprint HEX|--certificate FILE]... [--ca] [--keys]"
#define LABELS OPTION_TAG, OPTION_NO_TAG, OPTION_COMMENT
#define REKEY_WORDS_MAX 1000
#define INVITE OPTION_USES, OPTION_EXPIRES, OPTION_WITH_KEY
#define FILTER OPTION_TAG, OPTION_STATE, OPTION_SORT, OPTION_COLUMNS
#define LOG                                                                                        \
    OPTION_DEVICE, OPTION_USER, OPTION_RESULT, OPTION_SINCE, OPTION_UNTIL, OPTION_KIND,            \
    OPTION_LINES, OPTION_FOLLOW, OPTION_CONFIG
#define KEY OUTPUT, OPTION_SECONDARY

static const Verb verbs[] = {
    {"init", 0, 0, OPTION_LIST(NAMES, OPTION_SAN), verb_init,
     "--host-name NAME [--san DNS:NAME|IP:ADDRESS]...",
     N_("Make the state folder of a new hub: authority, certificate, registry, the usual users"),
     N_("ca.pem is what clients have to trust; invitations hold it. All or nothing: where it was "
        "interrupted, 'serve' says so, and the next 'init' removes what there is and begins "
        "again."),
     "{\"state_dir\": ..., \"ca_certificate\": ..., \"ca_key\": ...}"},
    {"serve", 0, 0, OPTION_LIST(SERVE), verb_serve,
     "[--listen ADDR:PORT]... [--mqtt-listen ADDR:PORT]... [--host-name NAME] [--streaming-host "
     "NAME[:PORT]] [--config FILE] [--threads N] [--grace SECONDS]",
     N_("Run the hub"), N_("As a service it takes its sockets from systemd."), JSON_REFUSED},
    {"reload", 0, 0, NULL, verb_reload, "",
     N_("Let the hub read certificate and settings again, and wait for what it says"),
     N_("It takes all or nothing: what clients would not take, or the next start would stumble "
        "over, "
        "is told, and what was in force stays. Limits take force at the next start."),
     "{...}, the certificate"},
    {"certificate show", 0, 0, NULL, verb_certificate_show, "",
     N_("Show the certificate that the running hub shows, and how long it is good"), NULL,
     "{\"names\": [...], \"not_after\": ..., \"days_left\": ..., ...}"},
    {"certificate install", 2, 2, OPTION_LIST(NAMES), verb_certificate_install, "CERT KEY [--host-name NAME]...",
     N_("Look at a certificate, and give it to the hub if clients will take it"),
     N_("CERT is in PEM, followed by those that issued it; both files are put in the place of the "
        "hub's, with the owner that the hub needs. A running hub shows it to whoever connects from "
        "then on, and cuts nothing; one that is stopped takes it when it starts. One that has "
        "expired or is not valid yet, is not for the hub's name or not for servers, does not fit "
        "the key, or whose chain is broken, is refused, and the old one stays."),
     "{...}, the certificate; {\"installed\": \"at-start\"} where the hub does not run"},
    {"certificate renew", 0, 0, OPTION_LIST(OPTION_DUE, NAMES), verb_certificate_renew,
     "[--due] [--host-name NAME]...",
     N_("Make a new certificate with the hub's own authority, and give it to the hub"),
     N_("It has a new key and the names of the present one, or those that are given. As with "
        "install the hub shows it from then on, and nothing is cut. It takes the authority's key: "
        "run it as root. streamhub-certificate.timer runs it daily with --due."),
     "{...}, the certificate; {\"renewed\": \"no\", ...} where it is not due"},
    {"ca show", 0, 0, NULL, verb_ca_show, "",
     N_("Show the hub's own authority, and how far the change of it has come"),
     N_("As root: it opens the authority's key."),
     "{\"change\": \"none\", \"linked\" or \"told\", \"not_after\": ..., ...}"},
    {"ca rotate", 0, 0, OPTION_LIST(OPTION_FINISH), verb_ca_rotate, "[--finish]",
     N_("Begin the change of the hub's authority, or with --finish end it"),
     N_("The next authority is made, and told to every streamd that knows how, in a statement that "
        "the present one has signed. An authority of 0.1 cannot vouch for the next one towards "
        "other clients: there the hub shows the present one until --finish. Otherwise it shows the "
        "next one at once, and clients that know only the present one are served until --finish. "
        "Lists who knows the next one, and who needs a visit before --finish."),
     "[{\"device_id\": ..., \"knows\": ...}, ...]; a user has \"name\" in the place of "
     "\"device_id\""},
    {"ca announce", 1, 1, NULL, verb_ca_announce, "NAME[:PORT]|-",
     N_("Tell every streamd that knows how under which name and port the hub will be found"),
     N_("The certificate has to have the new name as well: 'streamhub certificate renew "
        "--host-name OLD --host-name NEW'. streamd goes on with the old name, and tries the new "
        "one where that fails. - takes it back."),
     "{\"host\": ..., \"port\": ...}; both empty where it was taken back"},
    {"ca protect", 0, 0, NULL, verb_ca_protect, "",
     N_("Give the authority's key back to root; the service does this before it starts"),
     N_("The service manager gives the whole folder to the user of the hub, when it is new."),
     "{\"state_dir\": ...}"},
    {"settings", 0, 0, NULL, verb_settings, "",
     N_("Print a file for 'serve --config' with every limit, its default and what it is for"), NULL,
     JSON_REFUSED},
    {"drain", 0, 0, OPTION_LIST(DRAIN), verb_drain,
     "[--read-only] [--timeout SECONDS] | --cancel",
     N_("Take no new streams, and wait until the last one has ended: before a restart"),
     N_("Then the hub can be stopped without cutting anybody; it refuses new streams until it is "
        "started again. With --timeout it says how many streams are left, and ends with 13. "
        "--read-only is for a move to another machine: nothing of the registry changes any more, "
        "so that a backup made now has all of it; who enrols or manages is told to try again. "
        "--cancel takes both back."),
     "{\"draining\": ..., \"streams\": ..., ...}, the status"},
    {"status", 0, 0, NULL, verb_status, "", N_("Show what the running hub is doing"), NULL,
     "{\"host_name\": ..., \"streams\": ..., ...}"},
    {"metrics", 0, 0, NULL, verb_metrics, "",
     N_("Print what the running hub counts and measures, for Prometheus"),
     N_("It is OpenMetrics text. No label names a device, a user or a stream. For a Prometheus "
        "on another machine there are the settings metrics-listen and metrics-token-file."),
     JSON_REFUSED},
    {"doctor", 0, 0, OPTION_LIST(OPTION_CONFIG), verb_doctor, "[--config FILE]",
     N_("Look, step by step, at what the hub needs and whether clients get to it, and say what "
        "helps"),
     N_("Settings, disk, registry, clock and certificate, also where the hub does not run; then "
        "the "
        "hub itself, its limits, its name, both ports, and the way of a client. The exit code is "
        "that of the first step that fails: 3 where the hub does not run, 15 for the certificate, "
        "14 for the name and the ways to the hub, 7 for limits and descriptors, 1 for the others. "
        "Without --config it reads the settings of the installed hub, or of another one the "
        "defaults."),
     "{\"hub\": ..., \"checks\": [{\"step\": ..., \"result\": ..., \"message\": ..., \"cure\": "
     "..., ...}, "
     "...]}"},
    {"log-level", 0, 1, NULL, verb_log_level, "[emerg|alert|crit|err|warning|notice|info|debug]",
     N_("Show how much the hub tells its log, or set it until its next start"),
     N_("No level has keys, tokens or bytes of a stream in it."), "{\"level\": ..., ...}"},
    {"stream list", 0, 0, NULL, verb_stream_list, "",
     N_("List the streams that run, the oldest first"),
     N_("It comes page by page, and says what each waits for: 'data' where nothing stands still, "
        "'device-reads' or 'service-reads' where that side takes nothing of what waits for it, "
        "'reactor' where a thread of the hub gave no answer within a second."),
     "[{\"id\": ..., \"device\": ..., \"waits_for\": ..., ...}, ...]"},
    {"stream show", 1, 1, NULL, verb_stream_show, "ID",
     N_("Show all that the hub knows of a stream, and what each direction waits for"),
     N_("Both legs with offsets, buffers, what the kernel holds and the peer's window; timers. "
        "Times are in microseconds."),
     "{\"id\": ..., \"directions\": {...}, \"sides\": {...}, ...}"},
    {"stream close", 1, 1, NULL, verb_stream_close, "ID", N_("End a stream, at whichever stage it is"),
     N_("Both ends are told 'closed-by-operator'; one to which a message is stuck half way sees a "
        "cut, 10 seconds later."),
     "{...}, what it was"},
    {"device add", 1, 1, OPTION_LIST(MODULE, AUTH), verb_device_add, "ID[/MODULE] [--module M] " AUTH_USAGE,
     N_("Add a device, or a module of one"),
     N_("It proves who it is by tokens of its keys, unless it is given thumbprints of "
        "certificates, "
        "or --ca. Certificates count only where the setting client-certificates is on."),
     "{...}"},
    {"device list", 0, 0, OPTION_LIST(FILTER), verb_device_list,
     "[--tag KEY=VALUE]... [--state connected|away|never|refused] [--sort id|last-seen|state] "
     "[--columns COLUMN,...]",
     N_("List devices and modules"),
     N_("It comes page by page, so that a registry of any size takes little memory and its first "
        "line is there at once. The columns are as wide as the first 200 entries want them. With "
        "--json it is one array with a line per entry, which ends with a line ']' when it is "
        "whole. 'refused' is a device that is away and was refused after it was seen last. "
        "'last-seen' has the newest first. TAKE-OVERS are counted while two machines have one "
        "identity. Columns: device, module, status, state, last-seen, address, client, refused, "
        "refusal, take-overs, created, tags, comment."),
     "[{\"device_id\": ..., \"status\": ..., \"state\": ..., ...}, ...]"},
    {"device show", 1, 1, OPTION_LIST(MODULE), verb_device_show, "ID[/MODULE] [--module M]",
     N_("Show all of a device or module"), NULL, "{...}"},
    {"device set", 1, 1, OPTION_LIST(LABELS, MODULE, AUTH), verb_device_set,
     "ID[/MODULE] [--module M] [--tag KEY=VALUE]... [--no-tag KEY]... [--comment TEXT] " AUTH_USAGE,
     N_("Write tags or a comment on a device, or change how it proves who it is"),
     N_("A device has up to 50 tags. Users may be given the devices of a tag: what is open, and is "
        "in no scope of its user any more, ends. Thumbprints replace those before: what is "
        "connected with another certificate is cut."),
     "{...}"},
    {"device remove", 1, 1, OPTION_LIST(MODULE), verb_device_remove, "ID[/MODULE] [--module M]",
     N_("Remove a device or module; its connections and streams are cut"), NULL, "{...}"},
    {"device enable", 1, 1, OPTION_LIST(MODULE), verb_device_enable, "ID[/MODULE] [--module M]",
     N_("Let a device or module connect again"), NULL, "{...}"},
    {"device disable", 1, 1, OPTION_LIST(MODULE), verb_device_disable, "ID[/MODULE] [--module M]",
     N_("Keep it in the registry, cut it and let it in no more"), NULL, "{...}"},
    {"device import", 1, 1, OPTION_LIST(OPTION_UPDATE, OPTION_DRY_RUN),
     verb_device_import, "FILE|- [--update] [--dry-run]",
     N_("Add devices and modules from lines of JSON, as 'device export' writes them"),
     N_("{\"id\": ...} is enough; \"module\", \"status\", \"tags\", \"comment\" and \"keys\" may "
        "be "
        "named, and what is not stays as it is, or is made. A device comes before its modules. "
        "What is there already and the same is passed over: after a break the same call goes on. "
        "Where it differs, the line is told and not taken, unless --update is given."),
     "{\"added\": ..., \"updated\": ..., \"unchanged\": ..., \"refused\": ...}"},
    {"device export", 0, 1, OPTION_LIST(OPTION_KEYS), verb_device_export, "[FILE|-] [--keys]",
     N_("Write every device and module as a line of JSON"),
     N_("FILE is new and of mode 0600. Pages of 200 are each of one moment; what is added "
        "meanwhile may be in it or not."),
     JSON_REFUSED},
    {"device regenerate", 2, 2, OPTION_LIST(MODULE, OUTPUT), verb_device_regenerate,
     "ID[/MODULE] primary|secondary|both [--module M] [--output FILE|-]",
     N_("Replace keys of a device or module by new ones, at once"),
     N_("This revokes the old key: whoever is connected with it is cut, with their streams, and "
        "that "
        "is said. The other key stays good. --output writes the new connection string; of both "
        "keys, with the primary. To change keys without a cut, see 'device rekey'."),
     "{\"device\": {...}, \"cut\": {\"devices\": ..., \"streams\": ...}}"},
    {"device rekey", 0, REKEY_WORDS_MAX, OPTION_LIST(OPTION_TAG, OPTION_ALL),
     verb_device_rekey, "ID[/MODULE]... | --tag KEY=VALUE... | --all",
     N_("Give devices new keys over their own connections, without a cut"),
     N_("The device stores the new key, and then logs in with it; an hour later (rekey-grace) the "
        "former key is good no more. The result of each is 'done', 'pending' (the device is away "
        "or "
        "has not answered: it gets the key when it connects again), 'read-only' (its key is in a "
        "file of its machine), 'not-capable' (a client that knows nothing of this) or 'failed'. "
        "Where one is of the last three kinds, it ends with 12. It paces itself: 50 a second at "
        "most. A key that was stolen has to be replaced by 'device regenerate': until then, "
        "whoever "
        "has it may get the new one."),
     "[{\"device_id\": ..., \"result\": ...}, ...]"},
    {"device approve", 1, 1, NULL, verb_device_approve, "ID",
     N_("Let a device connect that joined by an invitation with --approve"), NULL, "{...}"},
    {"user add", 1, 1, OPTION_LIST(OPTION_RIGHTS, SCOPE_OPTIONS), verb_user_add,
     "NAME --rights RIGHT,... " SCOPE_USAGE,
     N_("Add a user: a name with two keys, and what they may do"),
     N_("A user is whoever opens streams or manages the registry: a person, a team, a service. In "
        "the protocol it is a shared access policy."),
     "{\"name\": ..., \"rights\": [...], \"scope\": {...}}"},
    {"user list", 0, 0, NULL, verb_user_list, "", N_("List users and their rights"), NULL,
     "[{\"name\": ..., \"rights\": [...], \"scope\": {...}}, ...]"},
    {"user show", 1, 1, NULL, verb_user_show, "NAME", N_("Show a user and its rights"), NULL, "{...}"},
    {"user set", 1, 1, OPTION_LIST(SCOPE_OPTIONS), verb_user_set, "NAME " SCOPE_USAGE,
     N_("Change what a user reaches; what is not named stays as it is"),
     N_("A device has to fit one of the patterns, and to have one of the values of each tag's key. "
        "An empty value takes a list away. Streams that are in the scope no more end at once."),
     "{...}"},
    {"user regenerate", 2, 2, OPTION_LIST(OUTPUT), verb_user_regenerate,
     "NAME primary|secondary|both [--output FILE|-]",
     N_("Replace keys of a user by new ones, at once"),
     N_("This revokes the old key: streams that were opened with it, and devices that are "
        "connected "
        "with it, are cut, and that is said. The other key stays good. --output writes the new "
        "connection string; of both keys, with the primary."),
     "{\"user\": {...}, \"cut\": {\"devices\": ..., \"streams\": ...}}"},
    {"user remove", 1, 1, NULL, verb_user_remove, "NAME", N_("Remove a user; its streams are cut"),
     NULL, "{...}"},
    {"invite device", 1, 1,
     OPTION_LIST(MODULE, OUTPUT, INVITE, OPTION_EXISTING, OPTION_TAG),
     verb_invite_device,
     "ID[/MODULE] [--module M] [--uses N] [--expires TIME] [--tag KEY=VALUE]... [--with-key] "
     "[--existing] [--output FILE|-]",
     N_("Write all that a device needs to join into a file: ID.invite"),
     N_("The file holds an invitation and the hub's authority, and 'streamctl hub add' takes it: "
        "the device makes a key of its own, and joins with it. Then the invitation is used up; it "
        "also ends after a week, or with 'invite revoke'. The authority is left out where the hub "
        "has a certificate of another one. The file must not be there yet. --with-key adds the "
        "device now and writes its key instead."),
     "{\"file\": ..., \"key\": \"own\", \"new\" or \"existing\"}"},
    {"invite user", 1, 1, OPTION_LIST(OUTPUT, INVITE, OPTION_EXISTING, SCOPE_OPTIONS_INVITED),
     verb_invite_user,
     "NAME [--uses N] [--expires TIME] [--with-key] [--existing] [--output "
     "FILE|-] " SCOPE_USAGE_INVITED,
     N_("The same for somebody who opens streams: a new user, who may do that and nothing else"),
     N_("One that is there already may have rights that nobody asked for, and its key is "
        "somebody's: it is refused, unless --existing says that this very key is meant."),
     "{\"file\": ..., \"key\": \"own\", \"new\" or \"existing\"}"},
    {"invite group", 1, 1,
     OPTION_LIST(OUTPUT, OPTION_USES, OPTION_EXPIRES, OPTION_TAG, OPTION_DEVICES, OPTION_IDS, OPTION_APPROVE),
     verb_invite_group,
     "NAME --devices PATTERN... --uses N [--expires TIME] [--tag KEY=VALUE]... [--ids FILE] "
     "[--approve] [--output FILE|-]",
     N_("The same for many devices: one file for an image"),
     N_("Each device makes a key of its own and says which id it claims: 'streamctl hub add --as', "
        "or [enroll] in streamd.conf(5). Nobody proves that a claim is true. Where that matters, "
        "name the ids that may join, or approve each device."),
     "{\"file\": ..., \"key\": \"own\"}"},
    {"invite list", 0, 0, NULL, verb_invite_list, "",
     N_("List the invitations, what they are for and how often they were used"), NULL,
     "[{\"name\": ..., \"kind\": ..., \"state\": ..., \"used\": ..., ...}, ...]"},
    {"invite revoke", 1, 1, NULL, verb_invite_revoke, "NAME",
     N_("Let nobody join by an invitation any more"),
     N_("Who has joined stays: see 'device remove' and 'user remove'."), "{...}"},
    {"connection-string device", 1, 1, OPTION_LIST(MODULE, KEY), verb_connection_string_device,
     "ID[/MODULE] [--module M] [--output FILE|-] [--secondary]",
     N_("Print the connection string of a device: a credential"),
     N_("Whoever has it is the device."), JSON_REFUSED},
    {"connection-string user", 1, 1, OPTION_LIST(KEY), verb_connection_string_user,
     "NAME [--output FILE|-] [--secondary]",
     N_("Print the connection string of a user: a credential"), NULL, JSON_REFUSED},
    {"backup", 0, 1, OPTION_LIST(OPTION_SINCE_UPGRADE), verb_backup, "FILE|--since-upgrade",
     N_("Copy the registry into a new file of mode 0600, also while the hub runs"),
     N_("It has every device and user with their keys, as they are at one moment. The file is a "
        "plain SQLite database with a table 'backup' that holds a checksum of all the others. The "
        "certificates and their keys (*.pem) are not in it. "
        "--since-upgrade lists the devices and users that were added, removed or given other keys, "
        "and the invitations that were made, since an upgrade kept the former registry as "
        "registry.sqlite.v1: what is lost, or in force again, when the version before it starts "
        "from that one."),
     "{\"file\": ...}; with --since-upgrade [{\"what\": ..., \"name\": ...}, ...]"},
    {"restore", 1, 1, NULL, verb_restore, "FILE",
     N_("Put a backup in the registry's place; the hub is stopped, the former one kept"),
     N_("FILE is checked first: its mode, its checksum, and that it is whole. The former registry "
        "is "
        "kept beside the new one, as registry.sqlite.before-TIME."),
     "{\"registry\": ..., \"kept\": ...}"},
    {"log", 0, 0, OPTION_LIST(LOG), verb_log,
     "[--device ID[/MODULE]] [--user NAME] [--result ok|failed|CODE] [--since TIME] [--until TIME] "
     "[--kind requests|ends|changes]... [--lines N] [--follow] [--config FILE]",
     N_("Show who asked for which stream, how each stream ended, and what was changed"),
     N_("It reads the hub's records, also where the hub does not run: as root or as the hub's "
        "user. Who opened a gateway: 'streamhub log --device gw-7'. Who was on it last Tuesday: "
        "'streamhub log --device gw-7 --since 2026-11-24 --until 2026-11-25'. A stream that was "
        "open at any time in between is shown by its end, whenever that came. Times are local; "
        "with --json it prints the lines of the records as they are."),
     "{\"time\": ..., \"operationName\": ..., \"category\": ..., ...}, one a line"},
    {"log verify", 0, 0,
     OPTION_LIST(OPTION_HEAD, OPTION_JOURNAL, OPTION_CONFIG),
     verb_log_verify, "[--head HASH]... [--journal[=DIR]] [--config FILE]",
     N_("Check that no record was changed, removed or put in between"),
     N_("It prints what is wrong as FILE:LINE, and the hash of the last record: note it elsewhere. "
        "A cut at the very end is seen only with --head and such a hash, or with --journal, which "
        "has one of every 1,000 records. Records that the disk did not take, and a line that was "
        "cut off when the hub was killed, are told and are no fault. Ends with 1 where something "
        "is wrong."),
     "{\"whole\": ..., \"records\": ..., \"head\": ..., \"faults\": [...], ...}; a fault is "
     "{\"file\": ..., \"line\": ..., \"fault\": ..., \"message\": ...}"},
    {"endpoints", 0, 0, NULL, verb_endpoints, "", N_("Show where streams of this hub are sent"), NULL,
     "{\"streaming_endpoints\": [...]}"},
    {.name = NULL},
};

/* In earlier versions, a user was called a policy. */
static const VerbAlias aliases[] = {
    {{"policy", NULL}, {"user", NULL}},
    {{"connection-string", "policy"}, {"connection-string", "user"}},
    {{NULL, NULL}, {NULL, NULL}},
};

int
cli_run(const char *locale_dir, int argc, char **argv)
{
    const Program program = {
        .name = "streamhub",
        .manual = "streamhub(8)",
        .verbs = verbs,
        .options = streamhub_options,
        .aliases = aliases,
        .check = verb_check,
        .words = words_offer,
    };

    return program_run(&program, locale_dir, argc, argv);
}
