/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* streamctl: the table of verbs. */
#include "client/complete/source.h"
#include "client/show/hint.h"
#include "client/verb/policy/limit-option.h"
#include "client/verb/verb.h"
#include "common/cli/cli.h"

#include <glib/gi18n.h>

#define HUB                                                                                        \
    OPTION_CONNECTION_STRING_FILE, OPTION_CA, OPTION_CERTIFICATE, OPTION_KEY,                      \
    OPTION_KEY_PIN_FILE, OPTION_TRANSPORT, OPTION_MQTT_PORT, OPTION_PROXY,                         \
    OPTION_PROXY_CREDENTIALS_FILE, OPTION_NO_PROXY, OPTION_ALLOWED_USERS, OPTION_STREAM_HOSTS,     \
    OPTION_RESUME, OPTION_RESUME_TIME
#define ADD_HUB HUB, OPTION_AS
#define SET_HUB HUB, OPTION_HOST, OPTION_FORCE, OPTION_SHARED_ACCESS_KEY_FILE, OPTION_ACCEPT_CA
#define TIMES OPTION_WAIT, OPTION_TIMEOUT
#define OPEN OPTION_HUB, OPTION_NO_RESUME, TIMES
#define OPEN_TUNNEL OPEN, OPTION_LISTEN, OPTION_BACKGROUND, OPTION_SHARED
#define CONNECT OPEN, OPTION_FDPASS, OPTION_SSH_HOST
#define KNOWN OPTION_HUB, OPTION_INITIATOR, OPTION_ADDRESS
#define TEST_RULE KNOWN, OPTION_AT
#define RULE                                                                                       \
    KNOWN, OPTION_STREAM, OPTION_WEEKDAYS, OPTION_TIME, OPTION_ACCEPT, OPTION_HANDLER,             \
    OPTION_HANDLER_USER, OPTION_ASK, OPTION_ASK_TIMEOUT, OPTION_REJECT, LIMIT_OPTIONS,             \
    OPTION_RESUME_TIME
#define RULE_ARGUMENTS                                                                             \
    "[--stream GLOB] [--hub NAME] [--initiator GLOB] [--address ADDRESS] [--weekdays DAYS] "       \
    "[--time HH:MM-HH:MM] (--accept TARGET | --handler NAME [--handler-user USER] | "              \
    "--ask[=TARGET] [--ask-timeout TIME] | --reject TEXT) " LIMIT_ARGUMENTS " [--resume-time TIME]"
#define ADD_RULE RULE, OPTION_POSITION
#define DOCTOR OPTION_HUB, OPTION_STREAM, OPTION_INITIATOR

static const Verb verbs[] = {
    {"status", 0, 0, OPTION_LIST(OPTION_CHECK, OPTION_HUB), verb_status,
     "[--check [--hub NAME]]", N_("Show the daemon, its hubs, targets and accept policy"),
     N_("With --check, for a monitoring system: a line for each hub that is not connected, with the "
        "reason, and the exit code 14, or 11 when all of these refuse the identity; 4 when there is no "
        "hub, or none of that name; 1 when streamd runs without its state. It waits for nothing: a "
        "hub that is being connected is away."),
     .json = "{\"manager\": {...}, \"policy\": {...}, \"hubs\": [...], \"targets\": [...]}, and less with "
             "--check"},
    {"version", 0, 0, NULL, verb_version, "",
     N_("Show which streamctl this is, and which streamd it talks to"),
     .json = "{\"streamctl\": ..., \"streamd\": ...}"},
    {"metrics", 0, 0, NULL, verb_metrics, "",
     N_("Print what the daemon counts and measures, for Prometheus"),
     N_("It is OpenMetrics text, of all users together, and takes the right to see what they have. "
        "No label names a hub, a device, a user or a stream."),
     .json = JSON_REFUSED},
    {"hub add", 1, 2, OPTION_LIST(ADD_HUB), verb_hub_add,
     "NAME [INVITATION|-] [--as ID] [--connection-string-file FILE|-] [--ca FILE] [--transport "
     "wss|mqtts] [--certificate FILE --key FILE|URL [--key-pin-file FILE]] [--mqtt-port N] "
     "[--proxy "
     "URL [--proxy-credentials-file FILE|-] [--no-proxy LIST]] "
     "[--allowed-users LIST] [--stream-hosts LIST] [--resume yes|no] [--resume-time TIME]",
     N_("Add a hub, by the file that 'streamhub invite' wrote, or by a connection string"),
     N_("With an invitation, streamd makes a key of its own, keeps it, and joins the hub with it; "
        "the file is not needed any more then. One for a group of devices leaves open who we are: "
        "--as says it. Where the hub wants a person to approve of it, 'hub list' says so, and it "
        "connects as soon as that is done. Without a file a connection string is asked for, "
        "without showing it. With --certificate it ends with x509=true; streamd watches the files, "
        "and what is renewed is used at once."),
     .json = "{...}"},
    {"hub list", 0, 0, NULL, verb_hub_list, "", N_("List the hubs and how they are"),
     .json = "[{...}, ...]"},
    {"hub show", 1, 1, NULL, verb_hub_show, "NAME", N_("Show all of a hub"), .json = "{...}"},
    {"hub connect", 1, 1, NULL, verb_hub_connect, "NAME",
     N_("Connect now instead of at the next attempt, and stay connected"), .json = "{...}"},
    {"hub disconnect", 1, 1, NULL, verb_hub_disconnect, "NAME",
     N_("Stay away from a hub until 'hub connect'; open streams go on"),
     .json = "{\"hub\": ..., \"result\": ...}"},
    {"hub set", 1, 1, OPTION_LIST(SET_HUB), verb_hub_set,
     "NAME [--host HOST[:PORT]] [--shared-access-key-file FILE|- | --connection-string-file FILE|-] "
     "[--ca FILE] [--transport wss|mqtts] [--mqtt-port N] [--certificate FILE] [--key FILE|URL] "
     "[--key-pin-file FILE] [--proxy URL] [--proxy-credentials-file FILE|-] [--no-proxy LIST] "
     "[--allowed-users LIST] [--stream-hosts LIST] [--resume yes|no] [--resume-time TIME] [--force] | "
     "NAME --accept-ca",
     N_("Change a hub: where it is, the key, what is trusted, the way there; open streams go on"),
     N_("What is not given stays; given empty, as --ca '', it is as if it had never been set. The "
        "new settings are tried first: when the hub cannot be reached, trusted or satisfied with "
        "them, nothing changes. With --force, and for a hub that 'hub disconnect' keeps away, they "
        "are taken untried, and 'hub list' says what is wrong. The identity stays the same in the "
        "device role; another device or role is another hub. Streams that are open and tunnels go "
        "on, those of others, too. What the configuration says is changed there. With --accept-ca "
        "the next authority of the hub is trusted alone, without waiting: streamd keeps a next "
        "authority that the present one has signed, and trusts both; after seven days, and a "
        "connection that the next one has verified, it trusts that alone by itself. Where the hub "
        "does not use it yet, it is shut out by this."),
     .json = "{...}"},
    {"hub remove", 1, 1, OPTION_LIST(OPTION_FORCE), verb_hub_remove, "NAME [--force]",
     N_("Forget a hub; its tunnels close and its streams end"),
     N_("While streams that came in through it are open, which may be the one you work through, it "
        "takes --force."),
     .json = "{\"hub\": ..., \"result\": ...}"},
    {"offer", 2, 2, OPTION_LIST(KNOWN), verb_offer,
     "NAME tcp:HOST:PORT|unix:PATH [--hub NAME] [--initiator GLOB] [--address ADDRESS]",
     N_("Accept streams of a name, and connect them to an address: target add and accept-policy "
        "add in one"),
     N_("What is there already stays: an offer that is made again changes nothing."),
     .json = "{\"target\": ..., \"rule\": ..., \"result\": ...}"},
    {"withdraw", 1, 1, NULL, verb_withdraw, "NAME",
     N_("Undo 'offer': remove the rules that accept streams of a name to the target of that name, "
        "and the target"),
     .json = "{\"target\": ..., \"rules\": [...], \"result\": ...}"},
    {"target add", 2, 2, OPTION_LIST(LIMIT_OPTIONS), verb_target_add,
     "NAME tcp:HOST:PORT|unix:PATH " LIMIT_ARGUMENTS,
     N_("Name a local address that accepted streams may reach"),
     .json = "{\"target\": ..., \"result\": ..., \"address\": ...}"},
    {"target list", 0, 0, NULL, verb_target_list, "", N_("List the targets"), .json = "[{...}, ...]"},
    {"target show", 1, 1, NULL, verb_target_show, "NAME", N_("Show all of a target"), .json = "{...}"},
    {"target remove", 1, 1, OPTION_LIST(OPTION_RULES), verb_target_remove, "NAME [--rules]",
     N_("Forget a target; on a terminal it asks about the rules that lead to it"),
     .json = "{\"target\": ..., \"result\": ..., \"rules\": [...], \"rules_left\": ...}"},
    {"accept-policy list", 0, 0, NULL, verb_policy_list, "",
     N_("List the rules that decide which streams are accepted, in order"),
     .json = "{\"rules\": [{\"id\": ..., ...}, ...], ...}"},
    {"accept-policy add", 0, 0, OPTION_LIST(ADD_RULE), verb_policy_add, "[--position N] " RULE_ARGUMENTS,
     N_("Add a rule, at the end or at a position (0 is first)"),
     N_("Conditions that are not given hold for every stream. The first rule whose conditions all "
        "hold decides. Rules of the configuration stay in front of the others. A limit that is "
        "reached ends the stream with a reason of its own, which both ends are told."),
     .json = "{\"id\": ...}"},
    {"accept-policy insert", 1, 1, OPTION_LIST(RULE), verb_policy_insert, "POSITION " RULE_ARGUMENTS,
     N_("Add a rule at a position, as 'accept-policy list' counts them"), .json = "{\"id\": ...}"},
    {"accept-policy move", 2, 2, NULL, verb_policy_move, "ID POSITION",
     N_("Move a rule to a position, as 'accept-policy list' counts them"),
     .json = "{\"rule\": ..., \"result\": ..., \"position\": ...}"},
    {"accept-policy remove", 1, 1, NULL, verb_policy_remove, "ID", N_("Remove a rule"),
     .json = "{\"rule\": ..., \"result\": ...}"},
    {"accept-policy set-default", 1, 2, NULL, verb_policy_set_default, "reject [TEXT] | accept",
     N_("Say what happens to streams that no rule matches; accept: to the target of that name"),
     .json = "{\"default_verdict\": ..., \"default_reason\": ...}"},
    {"accept-policy test", 1, 1, OPTION_LIST(TEST_RULE), verb_policy_test,
     "STREAM [--hub NAME] [--initiator NAME] [--address ADDRESS] [--at MOMENT]",
     N_("Say what would happen to a stream, which rule decides and why none before it"),
     .json = "{\"verdict\": ..., \"rule\": ..., \"details\": {...}}"},
    {"tunnel open", 2, 2, OPTION_LIST(OPEN_TUNNEL), verb_tunnel_open,
     "[--hub NAME] DEVICE[/MODULE] STREAM [--listen tcp:ADDR:PORT|PORT|unix:PATH] [--background] "
     "[--shared] [--wait[=SECONDS]] [--timeout SECONDS] [--no-resume]",
     N_("Listen here; each connection becomes a stream. Stays until Ctrl-C, or --background"),
     .json = "{\"listen_address\": ..., \"id\": ...}, on one line"},
    {"tunnel list", 0, 0, OPTION_LIST(OPTION_ALL), verb_tunnel_list, "[--all]",
     N_("List the tunnels; --all: other users' too, which may take a password"),
     .json = "[{...}, ...]"},
    {"tunnel show", 1, 1, OPTION_LIST(OPTION_ALL), verb_tunnel_show, "ID [--all]",
     N_("Show all of a tunnel"), .json = "{...}"},
    {"tunnel close", 0, 1, OPTION_LIST(OPTION_ALL), verb_tunnel_close, "ID | --all",
     N_("Close a tunnel and its streams; --all: all of yours"),
     .json = "{\"tunnels\": [...], \"result\": ...}"},
    {"connect", 2, 2, OPTION_LIST(CONNECT), verb_connect,
     "[--hub NAME] DEVICE[/MODULE] STREAM [--wait[=SECONDS]] [--timeout SECONDS] [--no-resume] [--fdpass] "
     "[--ssh-host]",
     N_("Connect standard input and output to a stream, as for ssh's ProxyCommand"),
     N_("With --fdpass standard output has to be a Unix socket, as ssh makes it for "
        "ProxyUseFdpass. "
        "The program at its other end gets the stream itself, which lives on when streamctl "
        "ends. A stream that loses its connection is suspended and goes on as soon as there is "
        "another one, for three minutes where nothing else is set; on a terminal a line says so. "
        "With --no-resume it ends."),
     .json = JSON_REFUSED},
    {"ssh", 1, G_MAXUINT, OPTION_LIST(OPEN, OPTION_STREAM), verb_ssh,
     "[--hub NAME] [--stream NAME] [--wait[=SECONDS]] [--timeout SECONDS] [--no-resume] [USER@]DEVICE[/MODULE] "
     "[[--] ARGUMENT...]",
     N_("Run ssh to a device; what follows is ssh's: its options (after --) and the command"),
     N_("ssh knows the device as DEVICE.device (DEVICE.HUB.device with --hub), in its "
        "configuration "
        "and in known_hosts. The exit status is that of ssh."),
     .json = JSON_REFUSED},
    {"stream list", 0, 0, OPTION_LIST(OPTION_ALL), verb_stream_list, "[--all]",
     N_("List the streams, those that ended a moment ago included; --all: other users' too"),
     .json = "[{...}, ...]"},
    {"stream show", 1, 1, OPTION_LIST(OPTION_ALL, OPTION_DEBUG), verb_stream_show,
     "ID [--all] [--debug]", N_("Show all of a stream"),
     N_("With --debug also what streamd knows of it at this moment: offsets, buffers, what the "
        "kernel "
        "holds, the peers' windows, timers (in microseconds), and what each direction waits for. "
        "'streamhub stream show' says the same for the hub."),
     "{...}; with --debug and a member \"debug\": {...}"},
    {"stream close", 1, 1, NULL, verb_stream_close, "ID", N_("End a stream"),
     .json = "{\"stream\": ..., \"result\": ...}"},
    {"request list", 0, 0, NULL, verb_request_list, "", N_("List the streams that wait for consent"),
     .json = "[{...}, ...]"},
    {"request accept", 1, 1, OPTION_LIST(OPTION_TARGET), verb_request_accept, "ID [--target NAME]",
     N_("Let a stream in that waits for consent"),
     .json = "{\"request\": ..., \"result\": ...}"},
    {"request reject", 1, 2, NULL, verb_request_reject, "ID [TEXT]",
     N_("Turn a stream away that waits for consent; the initiator reads the text"),
     .json = "{\"request\": ..., \"result\": ...}"},
    {"agent", 0, 0, NULL, verb_agent, "",
     N_("Ask on the terminal for every stream that waits for consent, until Ctrl-C"),
     N_("While no agent runs, here or elsewhere, nobody can be asked, and streams whose rule asks "
        "are "
        "rejected with the reason no-consent."),
     .json = JSON_REFUSED},
    {"doctor", 0, 2, OPTION_LIST(DOCTOR), verb_doctor,
     "[--hub NAME] [--stream NAME] [--initiator NAME] [DEVICE[/MODULE]] [STREAM]",
     N_("Look, step by step, at what stands between here and a stream, and say what helps"),
     N_("With DEVICE and STREAM such a stream is opened; with DEVICE alone the hub is asked whether "
        "it is there. Who may not have a hub examined sees what everybody may, and what own rights "
        "reach; the other steps are skipped, and the exit code is 5 when none of the rest fails."),
     .json = "[{\"hub\": ..., \"checks\": [{\"step\": ..., \"result\": ..., ...}, ...]}, ...]"},
    {"device list", 0, 0, OPTION_LIST(OPTION_HUB), verb_device_list, "[--hub NAME]",
     N_("List the devices of a hub, where our identity may read them"), .json = "[{...}, ...]"},
    {"reload", 0, 0, NULL, verb_reload, "",
     N_("Have streamd read its configuration again; with anything wrong in it the old one stays"),
     .json = "{\"result\": ...}"},
    {"log-level", 0, 1, NULL, verb_log_level, "[emerg|alert|crit|err|warning|notice|info|debug]",
     N_("Show how much streamd writes to its log, or set it while it runs"),
     .json = "{\"log_level\": ..., ...}"},
    {"logs", 0, 0,
     OPTION_LIST(OPTION_CHANGES, OPTION_STREAMS, OPTION_SINCE, OPTION_UNTIL, OPTION_FOLLOW),
     verb_logs, "[--changes | --streams] [--since TIME] [--until TIME] [--follow]",
     N_("Show what streamd wrote to the journal, by journalctl"),
     N_("With --user, or with --system, what the streamd of that kind wrote. The times are those of "
        "journalctl(1), which also has more to filter by: the fields are in streamd(8)."),
     .json = JSON_REFUSED},
    {"monitor", 0, 0, OPTION_LIST(OPTION_ALL), verb_monitor, "[--all]",
     N_("Show what happens, as it happens; --all: to other users' streams too"),
     .json = "{\"event\": ..., \"time\": ..., \"path\": ..., \"object\": ..., \"key\": ..., "
             "\"interface\": ..., ...}, a line for each event"},
    {"top", 0, 0, OPTION_LIST(OPTION_ALL, OPTION_ONCE), verb_top, "[--all] [--once]",
     N_("Show the streams and how fast they are, the fastest first, again each second"),
     N_("'q' ends it. Where standard output is no terminal, and with --once or --json, it "
        "measures\n"
        "for a second and prints one table."),
     .json = "[{..., \"in_rate\": ..., \"out_rate\": ...}, ...]"},
    {.name = NULL},
};

/* As ssh, docker, VPNs and other tunnels call it. */
static const VerbGuess guesses[] = {
    {"ps", "stream list"},
    {"up", "hub connect"},
    {"down", "hub disconnect"},
    {"login", "hub add"},
    {"logout", "hub remove"},
    {"expose", "offer"},
    {"unexpose", "withdraw"},
    {"forward", "tunnel open"},
    {NULL, NULL},
};

static gboolean
check(Cli *cli, GError **error)
{
    if (!cli->given[OPTION_USER] || !cli->given[OPTION_SYSTEM])
        return TRUE;
    cli_fail(error, EXIT_CODE_USAGE, _("--user and --system exclude each other"));
    return FALSE;
}

/* One for the whole process, so it may stay. */
static const char *
hint(const Cli *cli, ExitCode code, const char *message)
{
    g_autofree char *text = show_hint(verb_is_for_system(cli), code, message);

    return g_intern_string(text);
}

int
main(int argc, char **argv)
{
    const Program program = {
        .name = "streamctl",
        .manual = "streamctl(1)",
        .verbs = verbs,
        .options = streamctl_options,
        .guesses = guesses,
        .default_verb = "status",
        .check = check,
        .hint = hint,
        .words = source_words,
    };

    return program_run(&program, LOCALE_DIR, argc, argv);
}
