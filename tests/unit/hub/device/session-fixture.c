/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/hub/device/session-fixture.h"

#include "common/topic/stream-topic.h"
#include "common/extension/key-offer.h"

static Session *
session_of(DeviceLink *link)
{
    return (Session *)link;
}

static void
session_request(DeviceLink *link, const StreamRequest *request)
{
    g_autoptr(GString) topic = g_string_new(NULL);

    g_assert_null(session_of(link)->closed);
    g_assert_cmpint(stream_request_build(topic, request), ==, STREAM_TOPIC_OK);
    g_ptr_array_add(session_of(link)->topics, g_strdup(topic->str));
}

static void
session_notify(DeviceLink *link, const char *notice)
{
    g_assert_null(session_of(link)->closed);
    g_ptr_array_add(session_of(link)->notices, g_strdup(notice));
}

static void
session_offer_key(DeviceLink *link, guint64 rid, const char *key)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, rid);
    g_autoptr(GString) topic = g_string_new(NULL);
    Session *session = session_of(link);

    key_offer_build(topic, number);
    g_ptr_array_add(session->topics, g_strdup(topic->str));
    g_free(session->key);
    session->key = g_strdup(key);
}

/* As a real one does, it says that it is gone. */
static void
session_close(DeviceLink *link, const char *why)
{
    Session *session = session_of(link);

    g_assert_null(session->closed);
    session->closed = g_strdup(why);
    devices_disconnect(session->devices, link);
}

static gboolean
session_close_taken_over(DeviceLink *link)
{
    session_of(link)->taken_over = TRUE;
    session_close(link, "taken over by another machine");
    return session_of(link)->framed;
}

static const DeviceLinkFuncs session_funcs = {.request = session_request,
                                              .notify = session_notify,
                                              .offer_key = session_offer_key,
                                              .close = session_close,
                                              .close_taken_over = session_close_taken_over};

Session *
session_new(Devices *devices, const char *client_id, const char *policy, Caps caps)
{
    Session *session = g_new0(Session, 1);

    session->link = (DeviceLink){.funcs = &session_funcs,
                                 .client_id = g_strdup(client_id),
                                 .policy = g_strdup(policy),
                                 .caps = caps,
                                 .instance = ""};
    session->topics = g_ptr_array_new_with_free_func(g_free);
    session->notices = g_ptr_array_new_with_free_func(g_free);
    session->devices = devices;
    return session;
}

void
session_free(Session *session)
{
    g_ptr_array_unref(session->topics);
    g_ptr_array_unref(session->notices);
    g_free(session->link.client_id);
    g_free(session->link.policy);
    g_free(session->closed);
    g_free(session->key);
    g_free(session);
}
