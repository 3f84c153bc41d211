/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/claim.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/secret.h"
#include "common/codec/connection-string.h"
#include "common/codec/device-id.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define CLAIM_KEY_SIZE 32
#define CLAIM_FILE_MAX 256

static char *
read_first(const char *const *files)
{
    for (; *files; files++) {
        char *text = file_read(*files, CLAIM_FILE_MAX, NULL, NULL);

        if (text && *g_strstrip(text))
            return text;
        g_free(text);
    }
    return NULL;
}

static char *
claim_host_name(void)
{
    char name[HOST_NAME_MAX + 1] = "";

    return gethostname(name, sizeof name - 1) == 0 && *name ? g_strdup(name) : NULL;
}

static char *
claim_find(const char *as)
{
    static const char *const machine[] = {"/etc/machine-id", NULL};
    static const char *const serial[] = {"/sys/firmware/devicetree/base/serial-number",
                                         "/sys/class/dmi/id/product_serial",
                                         "/sys/class/dmi/id/board_serial", NULL};

    if (strcmp(as, "host-name") == 0)
        return claim_host_name();
    if (strcmp(as, "machine-id") == 0)
        return read_first(machine);
    if (strcmp(as, "serial") == 0)
        return read_first(serial);
    return g_strdup(as);
}

char *
claim_id(const char *as, GError **error)
{
    const char *source = as && *as ? as : "host-name";
    g_autofree char *id = claim_find(source);

    if (id && device_id_is_valid(id, -1))
        return g_steal_pointer(&id);
    if (id)
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "\"%.128s\" is no id of a device: 1 to %d letters, digits, and . _ : -", id,
                    DEVICE_ID_MAX);
    else
        g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                    "this machine does not tell its %s: name the id that it is to have", source);
    return NULL;
}

/* The id or name of the new identity. */
static char *
claim_name(const InvitationTicket *ticket, const char *as, GError **error)
{
    const char *one = ticket->user ? ticket->user : ticket->device_id;

    if (!one)
        return claim_id(as, error);
    if (!as || !*as || strcmp(as, one) == 0)
        return g_strdup(one);
    g_set_error(error, STREAMD_ERROR, STREAMD_ERROR_INVALID,
                "this invitation is for %s alone, not for %.128s", one, as);
    return NULL;
}

/* Base64; free it with secret_free. */
static char *
claim_key(void)
{
    guint8 bytes[CLAIM_KEY_SIZE];
    char *key;

    /* Up to 256 bytes are never cut short (getrandom(2)). */
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        g_error("getrandom failed");
    key = g_base64_encode(bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    return key;
}

char *
claim_connection_string(const InvitationTicket *ticket, const char *as, GError **error)
{
    g_autofree char *name = claim_name(ticket, as, error);
    g_auto(SecretText) key = NULL;
    const char *module = ticket->module_id;

    if (!name)
        return NULL;
    key = claim_key();
    if (ticket->user)
        return g_strconcat("HostName=", ticket->host, ";SharedAccessKeyName=", name,
                           ";SharedAccessKey=", key, NULL);
    return g_strconcat("HostName=", ticket->host, ";DeviceId=", name, module ? ";ModuleId=" : "",
                       module ? module : "", ";SharedAccessKey=", key, NULL);
}
