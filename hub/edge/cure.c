/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/edge/cure.h"

typedef struct {
    const char *why; /* the reason's beginning */
    const char *cure;
} CureRow;

#define RENEW "renew it, and compare the clocks of both machines"

/* Longer beginnings come before shorter ones. */
static const CureRow rows[] = {
    /* hub/edge/auth.c */
    {"no such device", "'streamhub device add' adds it, if it is yours"},
    {"the device is disabled", "'streamhub device enable' lets it in"},
    {"wrong signature", "'streamhub connection-string' shows the key that signs its tokens"},
    {"wrong credentials again", "the right ones are let in at once"},
    {"no such user", "name another user (skn), or add it with 'streamhub user add'"},
    {"the user has expired", "'streamhub user set --expires' gives it more time"},
    {"the user lacks the permission", "'streamhub user set --rights' gives it"},
    {"the device is in no scope", "'streamhub user set --devices' or '--tag' widens its scope"},
    {"the registry does not answer", "'streamhub doctor' looks at the hub's disk"},
    {"no such invitation", "'streamhub invite' makes one"},
    {"the token of an invitation names no user", "leave skn out of the token"},
    /* tokens */
    {"no token was sent, and the hub asks", "send one as the password, or set client-certificates"},
    {"no token was sent",
     "send Authorization: SharedAccessSignature sr=...&sig=...&se=...&skn=USER"},
    {"it does not begin with SharedAccessSignature",
     "send a SAS token, made of a connection string of this hub"},
    {"no token for the metrics", "send Authorization: Bearer and what is in metrics-token-file"},
    {"wrong token for the metrics", "send what is in metrics-token-file"},
    {"the token of the leg", "open the stream again: a leg's token is good once, and not for long"},
    {"the token has expired", RENEW},
    {"the token expires too far ahead",
     "make tokens that end sooner, or raise device-token-life-max (for users "
     "service-token-life-max) in the hub's settings"},
    {"the token is for another resource", "sr is HUB/devices/ID, of a user HUB, with a name that "
                                          "'streamhub status' shows"},
    {"the token", "make it of a connection string of this hub, as the SDKs do"},
    {"a part of the token", "make it of a connection string of this hub, as the SDKs do"},
    /* hub/edge/certificate.c */
    {"neither a token nor a certificate was sent", "send a token as the password"},
    {"no certificate was sent", "send the device's certificate in the TLS handshake"},
    {"the device has keys", "send a token, or 'streamhub device set --thumbprint' or '--ca'"},
    {"the device has a certificate", "connect with it, or 'streamhub device set --keys'"},
    {"the device has another thumbprint", "'streamhub device set --thumbprint' takes this one"},
    {"the hub has no authority for devices", "name a file with its authority in device-ca"},
    {"the certificate is of an unknown authority", "add its authority to the file of device-ca"},
    {"the certificate has been revoked", "give the device another certificate"},
    {"the certificate is not made for clients", "issue one with the extended key usage clientAuth"},
    {"the certificate is for another device", "its CN or a DNS name of it must be the device's id"},
    {"the certificate names no device", "its CN or a DNS name of it must be the device's id"},
    {"the certificate has expired", RENEW},
    {"the certificate is not valid before", RENEW},
    {"the certificate, or one above it", RENEW},
    {"the certificate", "give the device another certificate"},
    /* hub/device/mqtt-session.c */
    {"MQTT 5", "choose MQTT 3.1.1 in the client"},
    {"MQTT 3.1,", "choose MQTT 3.1.1 in the client"},
    {"a protocol that is not MQTT", "choose MQTT 3.1.1 in the client"},
    {"the first packet", "begin with a CONNECT of MQTT 3.1.1"},
    {"the peer ", "begin with a CONNECT of MQTT 3.1.1"},
    {"malformed packet", "begin with a CONNECT of MQTT 3.1.1"},
    {"bad client id or user name",
     "the client id is DEVICE or DEVICE/MODULE, the user name HUB/CLIENT-ID/?api-version=..."},
    {"the hub is stopping", "it comes back by itself"},
    {"too soon after another machine", "give each machine an identity of its own"},
    /* hub/edge/connection.c */
    {"AMQP", "choose MQTT in the client: port 8883, or over WebSocket at port 443"},
    {"the subprotocol", "offer the subprotocol mqtt"},
    {"no such path", "see which paths there are in docs/wire-protocol.md"},
    {"no such method", "see which methods it has in docs/wire-protocol.md"},
    {"a page of a browser", "list its origin in allowed-origins if it may come"},
    {"neither MQTT nor HTTP", "speak MQTT 3.1.1 or HTTP/1.1 in TLS"},
    {"the body is too large", "send less at once"},
    {"too many bodies", "try again later"},
    {"only version 13 of WebSocket", "use a client of RFC 6455"},
    /* hub/rest */
    {"the hub knows no such device", "'streamhub device add' adds it, if it is yours"},
    {"the device has no such module", "'streamhub device add DEVICE/MODULE' adds it"},
    {"the user does not reach the device", "'streamhub user set --devices' or '--tag' widens its "
                                           "scope"},
    {"This user may not", "'streamhub user set --streams' or '--rights' allows it"},
    {"A user with a scope", "another user, without a scope, may"},
    {"Users may not list", "set users-may-list in the hub's settings"},
    {"This invitation is at the limit", "try again later"},
    {"This invitation", "'streamhub invite' makes another one"},
    {"There is one of that name", "choose another name, or 'streamhub device remove' it"},
    {"This user is at the limit", "close some, or raise connections-max"},
};

const char *
cure_of(const char *why)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(why, rows[i].why))
            return rows[i].cure;
    return "docs/clients.md says what clients send";
}
