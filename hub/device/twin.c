/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub/device/twin.h"

#define TWIN "$iothub/twin/"
#define METHODS "$iothub/methods/res/"

static const struct {
    const char *prefix;
    guint status;
    const char *payload;
} requests[] = {
    {TWIN "GET/", 200, "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}"},
    {TWIN "PATCH/properties/reported/", 501,
     "{\"errorCode\":501000,\"message\":\"This hub has device streams, and keeps no reported "
     "properties\"}"},
};

static gboolean
take_prefix(Slice *text, const char *prefix)
{
    gsize len = strlen(prefix);

    if (text->len < len || memcmp(text->ptr, prefix, len) != 0)
        return FALSE;
    *text = (Slice){text->ptr + len, text->len - len};
    return TRUE;
}

gboolean
twin_filter_is_known(Slice filter)
{
    return slice_equal(filter, TWIN "res/#") ||
           slice_equal(filter, TWIN "PATCH/properties/desired/#");
}

/* The value of $rid in "?$rid=1&x=y". It is put in a topic: nothing that has a meaning there. */
static char *
rid_of(Slice properties)
{
    Slice rid;

    if (!take_prefix(&properties, "?$rid="))
        return NULL;
    rid = (Slice){properties.ptr, 0};
    while (rid.len < properties.len && properties.ptr[rid.len] != '&') {
        char c = properties.ptr[rid.len++];

        if (!g_ascii_isalnum(c) && !strchr("-._~%", c))
            return NULL;
    }
    return rid.len > 0 && rid.len <= TWIN_RID_MAX ? slice_dup(rid) : NULL;
}

TwinResult
twin_answer(Slice topic, char **ret_topic, const char **ret_payload)
{
    Slice rest = topic;

    if (take_prefix(&rest, METHODS))
        return TWIN_SILENT;
    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *rid = NULL;

        rest = topic;
        if (!take_prefix(&rest, requests[i].prefix))
            continue;
        rid = rid_of(rest);
        if (!rid)
            return TWIN_SILENT;
        *ret_topic = g_strdup_printf(TWIN "res/%u/?$rid=%s", requests[i].status, rid);
        *ret_payload = requests[i].payload;
        return TWIN_ANSWER;
    }
    rest = topic;
    return take_prefix(&rest, TWIN) ? TWIN_SILENT : TWIN_OTHER;
}
