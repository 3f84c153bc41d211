/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log/events.h"

#include "common/base/escape.h"
#include "common/log/rate.h"

#include <stddef.h>
#include <string.h>
#include <syslog.h>

#define PREFIX "STREAMD_"
#define FIELDS_MAX 20

typedef struct {
    const char *name;
    const char *id;
    int level;
    LogClass kind;
    const char *text;
    const char *fields;
} EventRow;

/* clang-format off */
static const EventRow rows[EVENT_LAST] = {
    [EVENT_DAEMON_STARTED] = {"DAEMON_STARTED", "1cfbbaee108e4b72a6905db94f532bcc", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Started, version {DETAIL}",
        "DETAIL"},
    [EVENT_DAEMON_STOPPED] = {"DAEMON_STOPPED", "39c4bd44277a48ccaf0241af91f3043d", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Stopped",
        ""},
    [EVENT_STREAMS_LEFT] = {"STREAMS_LEFT", "9080d4f0d5aa4c0e89b1805812619595", LOG_NOTICE, LOG_CLASS_CONTROL,
        "{COUNT} streams wait for the next streamd; {DETAIL}",
        "COUNT DETAIL"},
    [EVENT_STREAMS_INHERITED] = {"STREAMS_INHERITED", "48f8bc512cd6482d95684be643cd5bb9", LOG_NOTICE, LOG_CLASS_CONTROL,
        "{COUNT} streams of the former streamd go on; {DETAIL}",
        "COUNT DETAIL"},
    [EVENT_STREAMS_LOST] = {"STREAMS_LOST", "b837d63f4a724e04b69327632add053c", LOG_WARNING, LOG_CLASS_CONTROL,
        "The streams of the former streamd are cut: {DETAIL}",
        "COUNT DETAIL"},
    [EVENT_HUB_ADDED] = {"HUB_ADDED", "29daa8f6ac0b45b582b1c1feb65ad576", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Hub {HUB} was added, as {DEVICE}, by {USER} (UID {UID})",
        "HUB DEVICE UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_HUB_REMOVED] = {"HUB_REMOVED", "f8d138b182cb4407a7563fec0c2f8f79", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Hub {HUB} was removed by {USER} (UID {UID})",
        "HUB DEVICE UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_HUB_CHANGED] = {"HUB_CHANGED", "0507b23d87d24965800f888180239b3c", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Hub {HUB}: {NEW} (before: {OLD}), by {USER} (UID {UID})",
        "HUB DEVICE UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_HUB_CONNECTED] = {"HUB_CONNECTED", "a4e63144538f4d3fa6ca34f1386fd537", LOG_INFO, LOG_CLASS_HUB,
        "Connected to hub {HUB} as {DEVICE}, {DETAIL}",
        "HUB DEVICE DETAIL ATTEMPTS DURATION_MS"},
    [EVENT_HUB_LOST] = {"HUB_LOST", "beec9d56d9c348a3b113ad9544ef8040", LOG_WARNING, LOG_CLASS_HUB,
        "Hub {HUB} is not connected: {DETAIL}",
        "HUB DEVICE DETAIL ATTEMPTS DURATION_MS"},
    [EVENT_HUB_REFUSED] = {"HUB_REFUSED", "ea10d8b205754204ba6d740adaa96c59", LOG_ERR, LOG_CLASS_HUB,
        "Hub {HUB} refuses {DEVICE}: {DETAIL}",
        "HUB DEVICE DETAIL ATTEMPTS DURATION_MS"},
    [EVENT_HUB_KEY] = {"HUB_KEY", "267ef93aa5354c40bb2aa5dd08b35ff9", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Hub {HUB}, a new key for {DEVICE}: {DETAIL}",
        "HUB DEVICE DETAIL"},
    [EVENT_HUB_TAKEN_OVER] = {"HUB_TAKEN_OVER", "b73b6f1d9bd244c59038f078055fb3e7", LOG_WARNING, LOG_CLASS_HUB,
        "Hub {HUB}: another machine uses the identity {DEVICE} too, and has taken over the connection",
        "HUB DEVICE"},
    [EVENT_STREAM_REQUESTED] = {"STREAM_REQUESTED", "1acdc575b8214f09b819e838efe9b7a1", LOG_DEBUG, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} to {DEVICE} at hub {HUB} is asked for by {INITIATOR}",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER UID"},
    [EVENT_STREAM_ACCEPTED] = {"STREAM_ACCEPTED", "27c1e9aef6f344c4884cd20d269a5745", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} from {INITIATOR} ({PEER}) at hub {HUB} is accepted by {RULE}, to target {TARGET}",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET RULE"},
    [EVENT_STREAM_REJECTED] = {"STREAM_REJECTED", "1744fd31dbbd43b99a875735b42c235b", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} from {INITIATOR} ({PEER}) at hub {HUB} is rejected by {RULE}: {REASON}",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER RULE REASON DETAIL BYTES_IN BYTES_OUT DURATION_MS"},
    [EVENT_CONSENT_ASKED] = {"CONSENT_ASKED", "409cd5ab9bcd49a5ae822133e84bdc5c", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} from {INITIATOR} at hub {HUB} waits for consent",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER"},
    [EVENT_CONSENT_DECIDED] = {"CONSENT_DECIDED", "961df591bfd348f780e01a0ac953b9a6", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: user {USER} (UID {UID}) has decided on {STREAM} from {INITIATOR}: {DETAIL}",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER UID USER DETAIL"},
    [EVENT_STREAM_OPENED] = {"STREAM_OPENED", "d95282b6766843928cbe7c7a21380391", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, is open",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID"},
    [EVENT_STREAM_ENDED] = {"STREAM_ENDED", "b9ee0d4214574dc58fa3a9eb8503e29d", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, ended ({REASON}) after {DURATION_MS} ms, {BYTES_IN} bytes in, {BYTES_OUT} out",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID REASON DETAIL BYTES_IN BYTES_OUT DURATION_MS RESUMES"},
    [EVENT_STREAM_CUT] = {"STREAM_CUT", "119d9e79552c45ec9690715a223efae7", LOG_WARNING, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, was cut ({REASON}) after {DURATION_MS} ms, {BYTES_IN} bytes in, {BYTES_OUT} out",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID REASON DETAIL BYTES_IN BYTES_OUT DURATION_MS RESUMES"},
    [EVENT_STREAM_FAILED] = {"STREAM_FAILED", "66a080c89e784ff8a825edb40a81fed9", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, did not open ({REASON}): {DETAIL}",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID REASON DETAIL BYTES_IN BYTES_OUT DURATION_MS"},
    [EVENT_STREAM_SUSPENDED] = {"STREAM_SUSPENDED", "f44fd033fa58485fa49a74a8b4f8b7a7", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, has lost its connection ({REASON}) and waits for another one",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID REASON BYTES_AGAIN"},
    [EVENT_STREAM_RESUMED] = {"STREAM_RESUMED", "31611954bf024ee68f82ac5c4a2dafcc", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_NUMBER}: {STREAM} of {DEVICE} at hub {HUB}, for {INITIATOR} from {PEER}, goes on after {DURATION_MS} ms without a connection",
        "HUB DEVICE STREAM STREAM_ID STREAM_NUMBER INITIATOR PEER TARGET UID REASON DURATION_MS BYTES_AGAIN RESUMES"},
    [EVENT_TUNNEL_OPENED] = {"TUNNEL_OPENED", "4c593e3d218c40c984be30dc1717452a", LOG_INFO, LOG_CLASS_TUNNEL,
        "Tunnel {TUNNEL} of user {UID} listens on {ADDRESS} for {STREAM} of {DEVICE} at hub {HUB}",
        "HUB DEVICE STREAM TUNNEL ADDRESS UID"},
    [EVENT_TUNNEL_CLOSED] = {"TUNNEL_CLOSED", "df8fbbda792645d4ace3db1b004ec1f8", LOG_INFO, LOG_CLASS_TUNNEL,
        "Tunnel {TUNNEL} of user {UID} on {ADDRESS} is closed",
        "HUB DEVICE STREAM TUNNEL ADDRESS UID"},
    [EVENT_TUNNEL_FAULT] = {"TUNNEL_FAULT", "c25d7a96843646fd93ffb3f3bb882e5b", LOG_NOTICE, LOG_CLASS_TUNNEL,
        "Tunnel {TUNNEL} of user {UID} on {ADDRESS}: {DETAIL}",
        "HUB DEVICE STREAM TUNNEL ADDRESS UID DETAIL"},
    [EVENT_TUNNEL_BLIND] = {"TUNNEL_BLIND", "24a6e85d9a5349c7b328fae8cee9436e", LOG_NOTICE, LOG_CLASS_CONTROL,
        "This kernel does not tell whose a connection was once its client has closed it. Tunnels on TCP refuse such connections; tunnels on a unix: address accept them",
        ""},
    [EVENT_TARGET_ADDED] = {"TARGET_ADDED", "b58252690ce04ae0a90f2946e738f380", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Target {TARGET} was added: {ADDRESS}, by {USER} (UID {UID})",
        "TARGET ADDRESS UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_TARGET_REMOVED] = {"TARGET_REMOVED", "0b70e5a951b5425ca1b36ce24e9f6aa2", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Target {TARGET} was removed by {USER} (UID {UID})",
        "TARGET ADDRESS UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_TARGET_DOWN] = {"TARGET_DOWN", "19e62115c72c4a3f86207c0f7c95f0b8", LOG_WARNING, LOG_CLASS_STREAM,
        "Target {TARGET} did not accept stream {STREAM_NUMBER}, for {INITIATOR} from {PEER}: {REASON}",
        "TARGET STREAM STREAM_ID STREAM_NUMBER HUB DEVICE INITIATOR PEER UID REASON DETAIL BYTES_IN BYTES_OUT DURATION_MS"},
    [EVENT_POLICY_CHANGED] = {"POLICY_CHANGED", "08c10a3789844b83b8ab2cbdeefaa953", LOG_NOTICE, LOG_CLASS_CHANGE,
        "The accept policy was changed by {USER} (UID {UID}): {NEW} (before: {OLD})",
        "UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_CONFIG_RELOADED] = {"CONFIG_RELOADED", "13edd4936332484bae6e2bf4a494f04b", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Configuration reloaded by {USER} (UID {UID}): {NEW}",
        "UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_CONFIG_REFUSED] = {"CONFIG_REFUSED", "b086afe7494e4ef6bb1088500e1f6252", LOG_ERR, LOG_CLASS_CONTROL,
        "Configuration not reloaded: {DETAIL}",
        "DETAIL"},
    [EVENT_LOG_LEVEL_CHANGED] = {"LOG_LEVEL_CHANGED", "918d24244a1c42b6a1d89e1fc8db3ea6", LOG_NOTICE, LOG_CLASS_CHANGE,
        "The level of the log is {NEW} now (before: {OLD}), by {USER} (UID {UID})",
        "UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_TUNNEL_KEPT] = {"TUNNEL_KEPT", "326a18f0af44473782c1245b9ef17d10", LOG_NOTICE, LOG_CLASS_CHANGE,
        "Tunnel {TUNNEL} is kept over restarts, by {USER} (UID {UID}): {NEW}",
        "TUNNEL HUB DEVICE STREAM ADDRESS UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_CLOSED_BY] = {"CLOSED_BY", "942a4e1731db473883c24268e9cd3fdb", LOG_NOTICE, LOG_CLASS_CHANGE,
        "{OBJECT} was closed by {USER} (UID {UID}): {OLD}",
        "UID USER CALLER_PID BUS_NAME OBJECT OLD NEW"},
    [EVENT_CHANGE_DENIED] = {"CHANGE_DENIED", "067c9a0cf8ee4946813fd38fa507445d", LOG_NOTICE, LOG_CLASS_DENIED,
        "User {USER} (UID {UID}) may not do this: {DETAIL} at {OBJECT}",
        "UID USER CALLER_PID BUS_NAME OBJECT DETAIL"},
    [EVENT_STATE_REFUSED] = {"STATE_REFUSED", "2f1022a5ff1e4a769da8f40a1cc46e4d", LOG_ERR, LOG_CLASS_CONTROL,
        "The kept state cannot be used: {DETAIL}",
        "DETAIL"},
    [EVENT_SERVER_STARTED] = {"SERVER_STARTED", "b2f908a3571c4baca73bb05e00f0b970", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Hub {HUB} started, version {DETAIL}",
        "HUB DETAIL"},
    [EVENT_SERVER_STOPPING] = {"SERVER_STOPPING", "d44c0b9490cd4d13b1d90a4cc3d5bf9b", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Hub {HUB} is stopping, {DETAIL}",
        "HUB DETAIL"},
    [EVENT_SERVER_STOPPED] = {"SERVER_STOPPED", "65c955a455194690a05a965a22adf401", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Hub {HUB} stopped",
        "HUB"},
    [EVENT_CERTIFICATE_RELOADED] = {"CERTIFICATE_RELOADED", "1f1a870191c9479497ec81ee3d69381d", LOG_NOTICE, LOG_CLASS_CONTROL,
        "The certificate was reloaded",
        ""},
    [EVENT_CERTIFICATE_REFUSED] = {"CERTIFICATE_REFUSED", "e8a06437420a4c2ba96e44261f037d65", LOG_ERR, LOG_CLASS_CONTROL,
        "The certificate stays as it was: {DETAIL}",
        "DETAIL"},
    [EVENT_DEVICE_CONNECTED] = {"DEVICE_CONNECTED", "d9a44d0ef868466f8aac8d8dd1e04b66", LOG_INFO, LOG_CLASS_DEVICE,
        "Device {DEVICE} is connected from {PEER}",
        "DEVICE PEER"},
    [EVENT_DEVICE_TAKEN_OVER] = {"DEVICE_TAKEN_OVER", "b54e9bd7db7d4bab9e7fccda86a73fb7", LOG_NOTICE, LOG_CLASS_DEVICE,
        "Device {DEVICE} connected again from {PEER}: its older connection is closed",
        "DEVICE PEER"},
    [EVENT_DEVICE_CLONED] = {"DEVICE_CLONED", "c707c9006f3f4823af3709f47d71c575", LOG_WARNING, LOG_CLASS_DEVICE,
        "Two machines use the identity of {DEVICE}: one that had been replaced came back, {DETAIL} so far",
        "DEVICE DETAIL"},
    [EVENT_DEVICE_LOST] = {"DEVICE_LOST", "20b5f0ef0e6c465a92ec29878deb172e", LOG_INFO, LOG_CLASS_DEVICE,
        "Device {DEVICE} is not connected any more: {DETAIL}",
        "DEVICE PEER DETAIL"},
    [EVENT_DEVICE_REFUSED] = {"DEVICE_REFUSED", "790b28c87b7a49809ec6636588a5fbb5", LOG_NOTICE, LOG_CLASS_REFUSED,
        "A device that claims to be {DEVICE|nobody named} is refused at {PEER}: {DETAIL}",
        "DEVICE PEER DETAIL"},
    [EVENT_DEVICE_KEY] = {"DEVICE_KEY", "ca99faa3292f40a081a07509cda12af8", LOG_NOTICE, LOG_CLASS_DEVICE,
        "The key of device {DEVICE}: {DETAIL}",
        "DEVICE DETAIL"},
    [EVENT_SERVICE_REFUSED] = {"SERVICE_REFUSED", "57e90326086840898db39722e8bcf1eb", LOG_NOTICE, LOG_CLASS_REFUSED,
        "A request of {INITIATOR|nobody named} from {PEER} is refused: {DETAIL}",
        "INITIATOR PEER DETAIL"},
    [EVENT_REFUSALS_SUMMED] = {"REFUSALS_SUMMED", "b586540062474f059a2c9a0f5a64073a", LOG_NOTICE, LOG_CLASS_REFUSED,
        "Whoever else is refused, {DETAIL}",
        "COUNT DETAIL"},
    [EVENT_ROUTE_ASKED] = {"ROUTE_ASKED", "9fdb17a7f8ea44d5917cd523840e8551", LOG_DEBUG, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {INITIATOR} asks for {STREAM} of {DEVICE}",
        "DEVICE STREAM STREAM_ID INITIATOR PEER"},
    [EVENT_ROUTE_ACCEPTED] = {"ROUTE_ACCEPTED", "cafca83216ed4e09ab8963b3d022c648", LOG_DEBUG, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {DEVICE} accepts {STREAM}",
        "DEVICE STREAM STREAM_ID INITIATOR PEER"},
    [EVENT_ROUTE_REJECTED] = {"ROUTE_REJECTED", "5cb31eeb9408401db2760f12bd53c187", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {STREAM} of {DEVICE} for {INITIATOR} did not open ({REASON})",
        "DEVICE STREAM STREAM_ID INITIATOR PEER REASON DURATION_MS"},
    [EVENT_ROUTE_OPENED] = {"ROUTE_OPENED", "4fd640bcf3ae4f11b5f3b0cc7dd9e04e", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {STREAM} of {DEVICE} for {INITIATOR} is open",
        "DEVICE STREAM STREAM_ID INITIATOR PEER"},
    [EVENT_ROUTE_ENDED] = {"ROUTE_ENDED", "06755dd388754676b437cc2bf63493d4", LOG_INFO, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {STREAM} of {DEVICE} for {INITIATOR} ended ({REASON}) after {DURATION_MS} ms, {BYTES_IN} bytes to the device, {BYTES_OUT} to the service",
        "DEVICE STREAM STREAM_ID INITIATOR PEER REASON RULE DETAIL BYTES_IN BYTES_OUT DURATION_MS"},
    [EVENT_ROUTE_CUT] = {"ROUTE_CUT", "33ce9292e83747d7874d8b373da8b079", LOG_NOTICE, LOG_CLASS_STREAM,
        "Stream {STREAM_ID}: {STREAM} of {DEVICE} for {INITIATOR} was cut ({REASON}) after {DURATION_MS} ms, {BYTES_IN} bytes to the device, {BYTES_OUT} to the service",
        "DEVICE STREAM STREAM_ID INITIATOR PEER REASON RULE DETAIL BYTES_IN BYTES_OUT DURATION_MS"},
    [EVENT_REGISTRY_CHANGED] = {"REGISTRY_CHANGED", "c8a488fd2e2d4b4a8b9b406f1fa769ef", LOG_NOTICE, LOG_CLASS_CONTROL,
        "User {UID}: {DETAIL}",
        "UID DETAIL"},
    [EVENT_REGISTRY_WRITTEN] = {"REGISTRY_WRITTEN", "fbdaa32b13d84d5cbc6151ecb2279895", LOG_NOTICE, LOG_CLASS_CONTROL,
        "User {INITIATOR} at {PEER}: {DETAIL}",
        "INITIATOR PEER DETAIL"},
    [EVENT_BALANCER_REFUSED] = {"BALANCER_REFUSED", "5b0d31c2a1b84b0f9d6f6a0de7c4e2a9", LOG_WARNING, LOG_CLASS_REFUSED,
        "A connection from the balancer {PEER} is closed: {DETAIL}",
        "PEER DETAIL"},
    [EVENT_ENROLLED] = {"ENROLLED", "3493c6f3a0304057b42632e80902f8cd", LOG_NOTICE, LOG_CLASS_DEVICE,
        "Enrolled from {PEER}: {DETAIL}",
        "PEER DETAIL"},
    [EVENT_LIMIT_REACHED] = {"LIMIT_REACHED", "6d3ce1c0a7d146bd97db60e1b9cb4627", LOG_WARNING, LOG_CLASS_LIMIT,
        "{DETAIL} ({DEVICE}, for {INITIATOR})",
        "DETAIL DEVICE INITIATOR PEER"},
    [EVENT_RECORDS_HEAD] = {"RECORDS_HEAD", "f166a1761bfc44909598c472111a0806", LOG_NOTICE, LOG_CLASS_CONTROL,
        "Record {COUNT} since the start has the hash {HASH}",
        "COUNT HASH"},
    [EVENT_RECORDS_BLOCKED] = {"RECORDS_BLOCKED", "c2bea0f928484149882d52adead1be8b", LOG_ERR, LOG_CLASS_CONTROL,
        "The records cannot be written, and wait: {DETAIL}",
        "DETAIL"},
    [EVENT_RECORDS_RESUMED] = {"RECORDS_RESUMED", "66a4750324a8487aad93f8cff4f152cf", LOG_NOTICE, LOG_CLASS_CONTROL,
        "The records are written again",
        ""},
    [EVENT_RECORDS_UNROTATED] = {"RECORDS_UNROTATED", "f9567d53a3d54481b2b85de0bfd8a55d", LOG_WARNING, LOG_CLASS_CONTROL,
        "The file of records cannot be rotated, and grows: {DETAIL}",
        "DETAIL"},
    [EVENT_RECORDS_ROTATED] = {"RECORDS_ROTATED", "a6985977bb81487f8d0c7d9ac204fe22", LOG_NOTICE, LOG_CLASS_CONTROL,
        "The file of records is within its size again",
        ""},
    [EVENT_RECORDS_LOST] = {"RECORDS_LOST", "d4dc51c1cf5341df9160d712d7e6456d", LOG_ERR, LOG_CLASS_CONTROL,
        "{COUNT} records were lost, because the disk did not take them",
        "COUNT"},
    [EVENT_TELEMETRY_DROPPED] = {"TELEMETRY_DROPPED", "fe11cfd9849844c2aeb43a36224c61b9", LOG_NOTICE, LOG_CLASS_DEVICE,
        "{DEVICE} sends telemetry, which is acknowledged, counted and dropped",
        "DEVICE"},
    [EVENT_RECORDS_LEFT_OUT] = {"RECORDS_LEFT_OUT", "96d8d3e8c11f4c27939688009c45264e", LOG_WARNING, LOG_CLASS_TEXT,
        "{DETAIL}",
        "DETAIL"},
};
/* clang-format on */

typedef enum {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_KNOWN, /* a number; 0: it is not known, and left out */
    FIELD_UID,
    FIELD_MILLISECONDS,
} FieldType;

typedef struct {
    const char *name;
    gsize offset;
    FieldType type;
} FieldRow;

static const FieldRow known[] = {
    {"ADDRESS", offsetof(EventData, address), FIELD_TEXT},
    {"ATTEMPTS", offsetof(EventData, attempts), FIELD_NUMBER},
    {"BUS_NAME", offsetof(EventData, bus_name), FIELD_TEXT},
    {"BYTES_AGAIN", offsetof(EventData, bytes_again), FIELD_NUMBER},
    {"BYTES_IN", offsetof(EventData, bytes_in), FIELD_NUMBER},
    {"BYTES_OUT", offsetof(EventData, bytes_out), FIELD_NUMBER},
    {"CALLER_PID", offsetof(EventData, caller_pid), FIELD_KNOWN},
    {"COUNT", offsetof(EventData, count), FIELD_NUMBER},
    {"DETAIL", offsetof(EventData, detail), FIELD_TEXT},
    {"DEVICE", offsetof(EventData, device), FIELD_TEXT},
    {"DURATION_MS", offsetof(EventData, duration), FIELD_MILLISECONDS},
    {"HASH", offsetof(EventData, hash), FIELD_TEXT},
    {"HUB", offsetof(EventData, hub), FIELD_TEXT},
    {"INITIATOR", offsetof(EventData, initiator), FIELD_TEXT},
    {"NEW", offsetof(EventData, after), FIELD_TEXT},
    {"OBJECT", offsetof(EventData, object), FIELD_TEXT},
    {"OLD", offsetof(EventData, before), FIELD_TEXT},
    {"PEER", offsetof(EventData, peer), FIELD_TEXT},
    {"REASON", offsetof(EventData, reason), FIELD_TEXT},
    {"RESUMES", offsetof(EventData, resumes), FIELD_NUMBER},
    {"RULE", offsetof(EventData, rule), FIELD_TEXT},
    {"STREAM", offsetof(EventData, stream), FIELD_TEXT},
    {"STREAM_ID", offsetof(EventData, stream_id), FIELD_TEXT},
    {"STREAM_NUMBER", offsetof(EventData, stream_number), FIELD_NUMBER},
    {"TARGET", offsetof(EventData, target), FIELD_TEXT},
    {"TUNNEL", offsetof(EventData, tunnel), FIELD_NUMBER},
    {"UID", offsetof(EventData, uid), FIELD_UID},
    {"USER", offsetof(EventData, user), FIELD_TEXT},
};

static const FieldRow *
field_row(const char *name, gsize len)
{
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
            return &known[i];
    return NULL;
}

static char *
field_value(const FieldRow *row, const EventData *data)
{
    const void *at = (const char *)data + row->offset;

    switch (row->type) {
    case FIELD_TEXT:
        return escape_text(*(const char *const *)at, ESCAPE_MAX);
    case FIELD_KNOWN:
        if (*(const guint64 *)at == 0)
            return g_strdup("");
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at);
    case FIELD_UID:
        if (*(const guint32 *)at == EVENT_NO_UID)
            return g_strdup("");
        return g_strdup_printf("%u", *(const guint32 *)at);
    case FIELD_MILLISECONDS:
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at / 1000);
    default:
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at);
    }
}

/* An unknown value is shown as a dash, so that the text stays a sentence, or by the words of
 * {NAME|words}. */
static char *
text_fill(const char *text, const EventData *data)
{
    GString *out = g_string_new(NULL);

    for (const char *open; (open = strchr(text, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        gsize len = strcspn(open + 1, "|}");
        const char *words = open[1 + len] == '|' ? open + 2 + len : "-";
        const FieldRow *row = field_row(open + 1, len);
        g_autofree char *value = field_value(row, data);

        g_string_append_len(out, text, open - text);
        if (*value)
            g_string_append(out, value);
        else
            g_string_append_len(out, words, *words == '-' ? 1 : close - words);
        text = close + 1;
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static GLogLevelFlags
glib_level(int level)
{
    return level == LOG_DEBUG ? G_LOG_LEVEL_DEBUG : G_LOG_LEVEL_INFO;
}

/* The level goes into PRIORITY. For GLib every event is information: a GLib warning means a fault
 * of the program and ends a test. */
void
event_log(EventKind kind, const EventData *data)
{
    const EventRow *row = &rows[kind];
    g_autofree char *text = text_fill(row->text, data);
    g_autofree char *priority = g_strdup_printf("%d", row->level);
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) names = g_strsplit(row->fields, " ", FIELDS_MAX);
    GLogField fields[FIELDS_MAX + 5] = {
        {"MESSAGE", text, -1},
        {"PRIORITY", priority, -1},
        {EVENT_ID_FIELD, row->id, -1},
        {EVENT_CLASS_FIELD, log_class_name(row->kind), -1},
    };
    gsize count = 4;

    if (data->bounded)
        fields[count++] = (GLogField){EVENT_BOUNDED_FIELD, "1", -1};
    for (char **name = names; *name; name++) {
        char *value = field_value(field_row(*name, strlen(*name)), data);

        g_ptr_array_add(owned, value);
        if (*value == '\0')
            continue;
        fields[count].key = g_strconcat(PREFIX, *name, NULL);
        g_ptr_array_add(owned, (gpointer)fields[count].key);
        fields[count].value = value;
        fields[count++].length = -1;
    }
    g_log_structured_array(glib_level(row->level), fields, count);
}

const char *
event_name(EventKind kind)
{
    return rows[kind].name;
}

const char *
event_message_id(EventKind kind)
{
    return rows[kind].id;
}

const char *
event_text(EventKind kind)
{
    return rows[kind].text;
}

const char *
event_fields(EventKind kind)
{
    return rows[kind].fields;
}

gboolean
event_field_is_known(const char *name)
{
    return field_row(name, strlen(name)) != NULL;
}
