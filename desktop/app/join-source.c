/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop/app/join-source.h"
#include "desktop/setup/invitation.h"

#include <glib/gi18n.h>

/* One byte more than an invitation has, so that a longer file is seen to be none. */
#define READ_MAX (INVITATION_MAX + 1)

typedef struct {
    GCancellable *cancellable;
    JoinSourceDone done;
    void *data;
    GInputStream *stream;
    char *text; /* secret; READ_MAX bytes */
} Source;

static Source *
source_new(GCancellable *cancellable, JoinSourceDone done, void *data)
{
    Source *source = g_new0(Source, 1);

    source->cancellable = g_object_ref(cancellable);
    source->done = done;
    source->data = data;
    return source;
}

/* Hands over what there is, and ends the source. */
static void
source_end(Source *source, const char *text, gsize length, const GError *error)
{
    if (!g_cancellable_is_cancelled(source->cancellable))
        source->done(text, length, error, source->data);
    invitation_wipe(source->text, source->text == NULL ? 0 : READ_MAX);
    g_clear_object(&source->stream);
    g_object_unref(source->cancellable);
    g_free(source);
}

/* -- files ---------------------------------------------------------------------------------- */

static void
source_on_read(GObject *object, GAsyncResult *result, gpointer data)
{
    Source *source = data;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    if (g_input_stream_read_all_finish(G_INPUT_STREAM(object), result, &length, &error))
        source_end(source, source->text, length, NULL);
    else
        source_end(source, NULL, 0, error);
}

static void
source_on_opened(GObject *object, GAsyncResult *result, gpointer data)
{
    Source *source = data;
    g_autoptr(GError) error = NULL;

    source->stream = G_INPUT_STREAM(g_file_read_finish(G_FILE(object), result, &error));
    if (source->stream == NULL) {
        source_end(source, NULL, 0, error);
        return;
    }
    source->text = g_malloc0(READ_MAX);
    g_input_stream_read_all_async(source->stream, source->text, READ_MAX, G_PRIORITY_DEFAULT,
                                  source->cancellable, source_on_read, source);
}

static void
source_read(Source *source, GFile *file)
{
    g_file_read_async(file, G_PRIORITY_DEFAULT, source->cancellable, source_on_opened, source);
}

void
join_source_file(GFile *file, GCancellable *cancellable, JoinSourceDone done, void *data)
{
    source_read(source_new(cancellable, done, data), file);
}

static void
source_on_chosen(GtkNativeDialog *dialog, int response, gpointer data)
{
    Source *source = data;
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                                : NULL;

    if (file == NULL)
        source_end(source, NULL, 0, NULL);
    else
        source_read(source, file);
    g_object_unref(dialog);
}

void
join_source_choose(GtkWindow *parent, GCancellable *cancellable, JoinSourceDone done, void *data)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Choose the Invitation"), parent, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), _("_Cancel"));

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    (void)g_signal_connect(dialog, "response", G_CALLBACK(source_on_chosen),
                           source_new(cancellable, done, data));
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* -- the clipboard -------------------------------------------------------------------------- */

static void
source_on_pasted(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    char *text = gdk_clipboard_read_text_finish(GDK_CLIPBOARD(object), result, &error);
    const gsize length = text == NULL ? 0 : strlen(text);

    if (text == NULL && error == NULL)
        error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("There is no text in it."));
    source_end(data, text, length, error);
    invitation_wipe(text, length);
}

void
join_source_clipboard(GCancellable *cancellable, JoinSourceDone done, void *data)
{
    gdk_clipboard_read_text_async(gdk_display_get_clipboard(gdk_display_get_default()), cancellable,
                                  source_on_pasted, source_new(cancellable, done, data));
}

/* -- drag and drop -------------------------------------------------------------------------- */

typedef struct {
    JoinSourceDropped func;
    void *data;
} Drop;

static gboolean
drop_on_drop(GtkDropTarget *target, const GValue *value, double x, double y, gpointer data)
{
    const Drop *drop = data;
    GSList *files = G_VALUE_HOLDS(value, GDK_TYPE_FILE_LIST) ? g_value_get_boxed(value) : NULL;

    if (files != NULL)
        drop->func(files->data, NULL, drop->data);
    else if (G_VALUE_HOLDS_STRING(value))
        drop->func(NULL, g_value_get_string(value), drop->data);
    else
        return FALSE;
    return TRUE;
}

static void
drop_free(gpointer drop, GClosure *closure)
{
    g_free(drop);
}

void
join_source_add_drop(GtkWidget *widget, JoinSourceDropped func, void *data)
{
    GType types[] = {GDK_TYPE_FILE_LIST, G_TYPE_STRING};
    GtkDropTarget *target = gtk_drop_target_new(G_TYPE_INVALID, GDK_ACTION_COPY);
    Drop *drop = g_new0(Drop, 1);

    drop->func = func;
    drop->data = data;
    gtk_drop_target_set_gtypes(target, types, G_N_ELEMENTS(types));
    (void)g_signal_connect_data(target, "drop", G_CALLBACK(drop_on_drop), drop, drop_free, 0);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(target));
}
