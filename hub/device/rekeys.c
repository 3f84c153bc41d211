/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/rekeys.h"

#include "common/base/secret.h"
#include "common/log/events.h"
#include "hub/device/rekeys-private.h"
#include "hub/registry/keys.h"

#include <string.h>

/* Somebody who waits for what becomes of a rekey. */
typedef struct {
    Rekeys *rekeys;
    char *device;
    char *module;
    RekeyDone done;
    void *data;
} Ask;

/* One device that is connected and gets a key. */
typedef struct {
    Rekeys *rekeys;
    char *client_id;
    char *device;
    char *module;
    DeviceLink *link; /* NULL: it has gone while the registry worked */
    gboolean working;     /* the registry has a job of this offer */
    guint64 rid;          /* 0: not sent yet */
    RegistryKeys which;   /* the key that was sent */
    Timer timer;
    GPtrArray *asks;
} Offer;

static void
ask_free(gpointer data)
{
    Ask *ask = data;

    g_free(ask->device);
    g_free(ask->module);
    g_free(ask);
}

static void
ask_end(Ask *ask, const RekeyResult *result)
{
    ask->done(result, ask->data);
    ask_free(ask);
}

static void
offer_free(gpointer data)
{
    Offer *offer = data;

    clock_clear(offer->rekeys->clock, &offer->timer);
    g_ptr_array_unref(offer->asks);
    g_free(offer->client_id);
    g_free(offer->device);
    g_free(offer->module);
    g_free(offer);
}

/* Frees OFFER, and tells whoever waits. */
static void
offer_end(Offer *offer, const RekeyResult *result)
{
    g_autoptr(GPtrArray) asks = g_ptr_array_ref(offer->asks);

    (void)g_hash_table_remove(offer->rekeys->offers, offer->client_id);
    for (guint i = 0; i < asks->len; i++)
        ((Ask *)asks->pdata[i])->done(result, ((Ask *)asks->pdata[i])->data);
}

static void
offer_end_pending(Offer *offer, const char *detail)
{
    offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_PENDING, .detail = detail});
}

static void
offer_fired(Timer *timer)
{
    Offer *offer = CONTAINER_OF(timer, Offer, timer);

    rekeys_tell(offer->client_id, "the device has not answered to a new one");
    offer_end_pending(offer, "the device has not answered");
}

static void offer_start(Offer *offer, gboolean asked);

static void
offer_send(Offer *offer, const RegistryDevice *device)
{
    const RegistryKey *key =
        device->rekey.which == REGISTRY_KEY_SECONDARY ? &device->secondary : &device->primary;
    g_auto(SecretText) text = g_base64_encode(key->bytes, key->len);

    offer->rid = ++offer->rekeys->last_rid;
    offer->which = device->rekey.which;
    clock_set(offer->rekeys->clock, &offer->timer, REKEYS_ANSWER_WAIT);
    offer->link->funcs->offer_key(offer->link, offer->rid, text);
}

/* The key is on the disk. Meanwhile the device may have gone, or come back with either key. */
static void
offer_stored(const RegistryResult *result, void *data)
{
    Offer *offer = data;
    DeviceLink *link = devices_link(offer->rekeys->devices, offer->client_id);
    const RegistryRekey *rekey = result->device ? &result->device->rekey : NULL;

    offer->working = FALSE;
    if (result->code != REGISTRY_OK) {
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_FAILED, .failure = result});
    } else if (!link || !rekeys_suit(offer->rekeys, link)) {
        offer_end_pending(offer, "the device has left meanwhile");
    } else if (link != offer->link) {
        offer->link = link;
        offer_start(offer, FALSE);
    } else if (rekey->state == REKEY_CONFIRMED ||
               (rekey->state == REKEY_OFFERED && rekey->which == link->keys)) {
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_DONE});
    } else if (rekey->state == REKEY_OFFERED) {
        offer_send(offer, result->device);
    } else {
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_VOID});
    }
}

static void
offer_start(Offer *offer, gboolean asked)
{
    offer->working = TRUE;
    registry_rekey_offer(offer->rekeys->registry, offer->device, offer->module,
                         offer->link->keys, asked, offer_stored, offer);
}

/* ASK is taken, and may be NULL. An offer that is under way is joined. */
static void
offer_begin(Rekeys *rekeys, DeviceLink *link, gboolean asked, Ask *ask)
{
    const char *client_id = link->client_id;
    Offer *offer = g_hash_table_lookup(rekeys->offers, client_id);
    gboolean joined = offer != NULL;

    if (!offer) {
        const char *slash = strchr(client_id, '/');

        offer = g_new0(Offer, 1);
        offer->rekeys = rekeys;
        offer->client_id = g_strdup(client_id);
        offer->device =
            slash ? g_strndup(client_id, (gsize)(slash - client_id)) : g_strdup(client_id);
        offer->module = slash ? g_strdup(slash + 1) : NULL;
        offer->link = link;
        offer->timer.func = offer_fired;
        offer->asks = g_ptr_array_new_with_free_func(ask_free);
        g_hash_table_insert(rekeys->offers, offer->client_id, offer);
    }
    if (ask)
        g_ptr_array_add(offer->asks, ask);
    if (!joined)
        offer_start(offer, asked);
}

static void
ask_wanted(const RegistryResult *result, void *data)
{
    Ask *ask = data;
    g_autofree char *client_id = g_strjoin("/", ask->device, ask->module, NULL);
    DeviceLink *link = devices_link(ask->rekeys->devices, client_id);

    if (result->code != REGISTRY_OK)
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_FAILED, .failure = result});
    else if (link && rekeys_suit(ask->rekeys, link)) /* it came back meanwhile */
        offer_begin(ask->rekeys, link, FALSE, ask);
    else
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_PENDING, .detail = "the device is away"});
}

static void
ask_found(const RegistryResult *result, void *data)
{
    Ask *ask = data;
    g_autofree char *client_id = g_strjoin("/", ask->device, ask->module, NULL);
    DeviceLink *link = devices_link(ask->rekeys->devices, client_id);

    if (result->code != REGISTRY_OK)
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_FAILED, .failure = result});
    else if (!ask->rekeys->settings->rekey)
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_OFF});
    else if (result->device->auth.kind != REGISTRY_AUTH_KEYS)
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_NOT_CAPABLE});
    else if (!link)
        registry_rekey_want(ask->rekeys->registry, ask->device, ask->module, ask_wanted, ask);
    else if (!rekeys_suit(ask->rekeys, link))
        ask_end(ask, &(RekeyResult){.code = REKEY_RESULT_NOT_CAPABLE});
    else
        offer_begin(ask->rekeys, link, TRUE, ask);
}

void
rekeys_ask(Rekeys *rekeys, const char *device, const char *module, RekeyDone done, void *data)
{
    Ask *ask = g_new0(Ask, 1);

    ask->rekeys = rekeys;
    ask->device = g_strdup(device);
    ask->module = g_strdup(module);
    ask->done = done;
    ask->data = data;
    registry_lookup_device(rekeys->registry, device, module, ask_found, ask);
}

void
rekeys_ready(Rekeys *rekeys, DeviceLink *link)
{
    offer_begin(rekeys, link, FALSE, NULL);
}

static void
offer_refused(const RegistryResult *result, void *data)
{
    Offer *offer = data;

    offer->working = FALSE;
    if (result->code == REGISTRY_OK) {
        rekeys_record(offer->rekeys, offer->client_id, "the device cannot store a new one");
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_READ_ONLY});
    } else {
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_FAILED, .failure = result});
    }
}

static void
offer_answered(Offer *offer, KeyAnswerCode code)
{
    clock_clear(offer->rekeys->clock, &offer->timer);
    offer->rid = 0;
    switch (code) {
    case KEY_ANSWER_STORED:
        rekeys_tell(offer->client_id, "the device has stored a new one");
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_DONE});
        break;
    case KEY_ANSWER_READ_ONLY:
        rekeys_tell(offer->client_id, "the device cannot store a new one");
        offer->working = TRUE;
        registry_rekey_refuse(offer->rekeys->registry, offer->device, offer->module, offer->which,
                              offer_refused, offer);
        break;
    case KEY_ANSWER_BUSY:
        offer_end_pending(offer, "the device had too many new keys in a short time");
        break;
    case KEY_ANSWER_FAILED:
        rekeys_tell(offer->client_id, "the device has failed to store a new one");
        offer_end_pending(offer, "the device has failed to store it");
        break;
    }
}

void
rekeys_answer(Rekeys *rekeys, DeviceLink *link, const KeyAnswer *answer)
{
    Offer *offer = g_hash_table_lookup(rekeys->offers, link->client_id);
    guint64 rid = 0;

    if (offer && offer->link == link && offer->rid > 0 &&
        g_ascii_string_to_unsigned(answer->rid, 10, 1, G_MAXUINT64, &rid, NULL) &&
        rid == offer->rid)
        offer_answered(offer, answer->code);
    else
        rekeys->ignored++;
}

void
rekeys_lost(Rekeys *rekeys, DeviceLink *link)
{
    Offer *offer = g_hash_table_lookup(rekeys->offers, link->client_id);

    if (!offer || offer->link != link)
        return;
    offer->link = NULL;
    if (!offer->working)
        offer_end_pending(offer, "the device has left meanwhile");
}

void
rekeys_void(Rekeys *rekeys, const char *device, const char *module)
{
    g_autofree char *client_id = g_strjoin("/", device, module, NULL);
    Offer *offer = g_hash_table_lookup(rekeys->offers, client_id);

    if (offer && !offer->working)
        offer_end(offer, &(RekeyResult){.code = REKEY_RESULT_VOID});
}

Rekeys *
rekeys_new(const Settings *settings, Registry *registry, Devices *devices, Clock *clock)
{
    Rekeys *rekeys = g_new0(Rekeys, 1);

    rekeys->settings = settings;
    rekeys->registry = registry;
    rekeys->devices = devices;
    rekeys->clock = clock;
    rekeys->last_rid = g_random_int(); /* no late answer of an earlier hub fits */
    rekeys->offers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, offer_free);
    rekeys_begin_sweeps(rekeys);
    return rekeys;
}

void
rekeys_set_records(Rekeys *rekeys, Records *records)
{
    rekeys->records = records;
}

void
rekeys_free(Rekeys *rekeys)
{
    if (!rekeys)
        return;
    clock_clear(rekeys->clock, &rekeys->sweep);
    g_hash_table_unref(rekeys->offers);
    g_free(rekeys);
}

guint64
rekeys_ignored(const Rekeys *rekeys)
{
    return rekeys->ignored;
}
