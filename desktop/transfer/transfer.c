/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/transfer/transfer.h"
#include "desktop/base/item.h"
#include "desktop/base/names.h"
#include "desktop/transfer/pattern.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#define CHUNK 65536
/* How long the device may take to answer, in µs. */
#define ANSWER_MAX (20 * G_USEC_PER_SEC)
/* How long to wait for the end of the stream when all bytes have come, in s. */
#define END_S 3

struct Transfer {
    Daemon *daemon;
    TransferChanged changed;
    void *data;
    GCancellable *cancellable;
    TransferState state;
    char *error, *object; /* the stream's path */
    GSocketConnection *connection;
    guint64 size, sent, received;
    gint64 began, ended; /* g_get_monotonic_time(); 0: not yet */
    Pattern out, in;
    guint8 out_bytes[CHUNK], in_bytes[CHUNK];
    guint patience;             /* GLib timer; 0: not set */
    gsize out_length, out_done; /* of out_bytes: bytes in it, bytes of those written */
};

static void transfer_write(Transfer *transfer);
static void transfer_read(Transfer *transfer);

/* Closes the socket itself: GIO's streams would refuse while an operation is pending on them. */
static void
transfer_close(Transfer *transfer)
{
    g_clear_handle_id(&transfer->patience, g_source_remove);
    if (transfer->connection != NULL)
        (void)g_socket_close(g_socket_connection_get_socket(transfer->connection), NULL);
}

/* The last change of state. Nothing happens on the stream after it. */
static void
transfer_end(Transfer *transfer, TransferState state, const char *error)
{
    if (transfer->state == TRANSFER_SAME || transfer->state == TRANSFER_FAILED)
        return;
    transfer->state = state;
    transfer->error = g_strdup(error);
    transfer->ended = g_get_monotonic_time();
    g_cancellable_cancel(transfer->cancellable);
    transfer_close(transfer);
    transfer->changed(transfer, transfer->data);
}

/* -- why it ended before its time ------------------------------------------------------------ */

static void
transfer_on_why(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Transfer *transfer = data;
    g_autoptr(GVariant) properties = NULL;
    const char *text = "";

    if (error == NULL) {
        properties = g_variant_get_child_value(result, 0);
        text = properties_string(properties, "CloseText");
    }
    transfer_end(transfer, TRANSFER_FAILED,
                 *text == '\0' ? _("the stream ended before everything had come back") : text);
}

/* The descriptor only shows that the stream has ended. The stream object knows why. */
static void
transfer_ask_why(Transfer *transfer)
{
    const DaemonCall call = {transfer->object, "org.freedesktop.DBus.Properties", "GetAll",
                             g_variant_new("(s)", STREAMD_STREAM), 0};

    daemon_call(transfer->daemon, &call, transfer->cancellable, transfer_on_why, transfer);
}

/* -- bytes ----------------------------------------------------------------------------------- */

static void
transfer_on_written(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    gssize written = g_output_stream_write_finish(G_OUTPUT_STREAM(source), result, &error);
    Transfer *transfer = data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA may be gone */
    if (written < 0)
        return; /* the reader finds the end of the stream, and the data before it */
    transfer->out_done += (gsize)written;
    transfer->sent += (guint64)written;
    transfer_write(transfer);
}

static void
transfer_write(Transfer *transfer)
{
    GIOStream *stream = G_IO_STREAM(transfer->connection);

    if (transfer->sent == transfer->size) { /* tell the device's side that this was all */
        (void)g_socket_shutdown(g_socket_connection_get_socket(transfer->connection), FALSE, TRUE,
                                NULL);
        return;
    }
    if (transfer->out_done == transfer->out_length) {
        transfer->out_length = (gsize)MIN(CHUNK, transfer->size - transfer->sent);
        transfer->out_done = 0;
        pattern_fill(&transfer->out, transfer->out_bytes, transfer->out_length);
    }
    g_output_stream_write_async(g_io_stream_get_output_stream(stream),
                                transfer->out_bytes + transfer->out_done,
                                transfer->out_length - transfer->out_done, G_PRIORITY_LOW,
                                transfer->cancellable, transfer_on_written, transfer);
}

/* Ends the wait for the end of the stream: a target may send all bytes back and keep the
 * connection. */
static gboolean
transfer_on_patience(gpointer data)
{
    Transfer *transfer = data;

    transfer->patience = 0;
    transfer_end(transfer, TRANSFER_SAME, NULL);
    return G_SOURCE_REMOVE;
}

static void
transfer_compare(Transfer *transfer, gsize length)
{
    g_autofree char *number = NULL, *text = NULL;
    gsize at = 0;

    if (length > transfer->size - transfer->received) {
        transfer_end(transfer, TRANSFER_FAILED, _("more came back than was sent"));
    } else if (!pattern_matches(&transfer->in, transfer->in_bytes, length, &at)) {
        number = g_strdup_printf("%" G_GUINT64_FORMAT, transfer->received + at);
        text = g_strdup_printf(_("what came back is different from byte %s on"), number);
        transfer_end(transfer, TRANSFER_FAILED, text);
    } else {
        transfer->received += length;
        if (transfer->received == transfer->size)
            transfer->patience = g_timeout_add_seconds(END_S, transfer_on_patience, transfer);
        transfer_read(transfer);
    }
}

static void
transfer_on_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    gssize length = g_input_stream_read_finish(G_INPUT_STREAM(source), result, &error);
    Transfer *transfer = data;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* DATA may be gone */
    if (length == 0 && transfer->received == transfer->size)
        transfer_end(transfer, TRANSFER_SAME, NULL);
    else if (length <= 0)
        transfer_ask_why(transfer);
    else
        transfer_compare(transfer, (gsize)length);
}

static void
transfer_read(Transfer *transfer)
{
    GInputStream *stream = g_io_stream_get_input_stream(G_IO_STREAM(transfer->connection));

    g_input_stream_read_async(stream, transfer->in_bytes, CHUNK, G_PRIORITY_LOW,
                              transfer->cancellable, transfer_on_read, transfer);
}

/* -- opening --------------------------------------------------------------------------------- */

static gboolean
transfer_take_fd(Transfer *transfer, GVariant *result, GUnixFDList *fds, GError **error)
{
    g_autoptr(GSocket) socket = NULL;
    gint32 handle = 0;
    int fd;

    g_variant_get(result, "(ho)", &handle, &transfer->object);
    if (fds == NULL) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, _("streamd sent no descriptor"));
        return FALSE;
    }
    fd = g_unix_fd_list_get(fds, handle, error);
    if (fd < 0)
        return FALSE;
    socket = g_socket_new_from_fd(fd, error);
    if (socket == NULL) {
        (void)g_close(fd, NULL);
        return FALSE;
    }
    transfer->connection = g_socket_connection_factory_create_connection(socket);
    return TRUE;
}

static void
transfer_on_opened(GVariant *result, GUnixFDList *fds, const GError *error, void *data)
{
    Transfer *transfer = data;
    g_autoptr(GError) problem = NULL;

    if (error != NULL) {
        transfer_end(transfer, TRANSFER_FAILED, error->message);
        return;
    }
    if (!transfer_take_fd(transfer, result, fds, &problem)) {
        transfer_end(transfer, TRANSFER_FAILED, problem->message);
        return;
    }
    transfer->state = TRANSFER_RUNNING;
    transfer->began = g_get_monotonic_time();
    transfer->changed(transfer, transfer->data);
    transfer_write(transfer);
    transfer_read(transfer);
}

static GVariant *
plan_arguments(const TransferPlan *plan)
{
    GVariantDict options;

    g_variant_dict_init(&options, NULL);
    if (plan->wait > 0)
        g_variant_dict_insert(&options, "wait", "t", plan->wait);
    return g_variant_new("(sss@a{sv})", plan->hub, plan->device, plan->stream,
                         g_variant_dict_end(&options));
}

Transfer *
transfer_new(Daemon *daemon, const TransferPlan *plan, TransferChanged changed, void *data)
{
    const DaemonCall call = {STREAMD_ROOT, STREAMD_MANAGER, "OpenStream", plan_arguments(plan),
                             plan->wait + ANSWER_MAX};
    Transfer *transfer = g_new0(Transfer, 1);
    guint64 seed = (guint64)g_get_real_time();

    transfer->daemon = daemon;
    transfer->changed = changed;
    transfer->data = data;
    transfer->size = plan->size;
    transfer->cancellable = g_cancellable_new();
    pattern_init(&transfer->out, seed);
    pattern_init(&transfer->in, seed);
    daemon_call(daemon, &call, transfer->cancellable, transfer_on_opened, transfer);
    return transfer;
}

void
transfer_free(Transfer *transfer)
{
    if (transfer == NULL)
        return;
    g_cancellable_cancel(transfer->cancellable);
    g_object_unref(transfer->cancellable);
    transfer_close(transfer);
    g_clear_object(&transfer->connection);
    g_free(transfer->object);
    g_free(transfer->error);
    g_free(transfer);
}

TransferState
transfer_state(Transfer *transfer)
{
    return transfer->state;
}

const char *
transfer_error(Transfer *transfer)
{
    return transfer->error;
}

guint64
transfer_sent(Transfer *transfer)
{
    return transfer->sent;
}

guint64
transfer_received(Transfer *transfer)
{
    return transfer->received;
}

guint64
transfer_size(Transfer *transfer)
{
    return transfer->size;
}

double
transfer_seconds(Transfer *transfer)
{
    gint64 end = transfer->ended != 0 ? transfer->ended : g_get_monotonic_time();

    return transfer->began == 0 ? 0 : (double)(end - transfer->began) / G_USEC_PER_SEC;
}
