/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's tables of sockets: which common services listen, and at which address. */
#include "desktop/setup/listening.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define REST " 00000000:00000000 00:00000000 00000000     0        0 1234 1 0 100 0 0 10 0\n"
#define ANY6 "00000000000000000000000000000000"

/* An address is printed as numbers of this machine. */
static char *
hex4(const char *bytes)
{
    return g_strdup_printf("%08X", *(const guint32 *)(const void *)bytes);
}

static void
check(const char *tcp, const char *tcp6, const char *wanted)
{
    g_autoptr(GPtrArray) found = listening_find(tcp, tcp6);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < found->len; i++) {
        const Listening *one = g_ptr_array_index(found, i);

        g_string_append_printf(text, "%s=%s ", one->service->name, one->address);
    }
    g_assert_cmpstr(text->str, ==, wanted);
}

static void
test_tables(void)
{
    _Alignas(4) static const char local[4] = {127, 0, 0, 1}, net[4] = {10, 0, 0, 7};
    g_autofree char *loopback = hex4(local), *other = hex4(net);
    g_autofree char *tcp =
        g_strdup_printf(HEAD "   0: %s:1F90 00000000:0000 0A" REST       /* 8080 on the loopback */
                             "   1: 00000000:0016 00000000:0000 0A" REST /* 22 everywhere */
                             "   2: %s:170C %s:9999 01" REST       /* 5900, but a connection */
                             "   3: %s:01BB 00000000:0000 0A" REST /* 443 on one address */
                             "   4: 00000000:04D2 00000000:0000 0A" REST /* 1234 is of no use */,
                        loopback, loopback, other, other);

    check(tcp, HEAD, "ssh=tcp:127.0.0.1:22 https=tcp:10.0.0.7:443 web-8080=tcp:127.0.0.1:8080 ");
    check(HEAD, HEAD "   0: " ANY6 ":0D3D " ANY6 ":0000 0A" REST, "rdp=tcp:[::1]:3389 ");
    check(tcp, HEAD "   0: " ANY6 ":0016 " ANY6 ":0000 0A" REST,
          "ssh=tcp:127.0.0.1:22 https=tcp:10.0.0.7:443 web-8080=tcp:127.0.0.1:8080 ");
}

static void
test_nonsense(void)
{
    check("", "", "");
    check("x\n\n  :::: 0A\n 0: 00:0016 0:0 0A\n 0: 0016 0 0A\n", "0: zz:0016 y 0A z\n", "");
}

static void
on_look(GObject *source, GAsyncResult *result, gpointer data)
{
    GPtrArray **ret_found = data;

    *ret_found = listening_look_finish(result);
}

/* Of this machine: whatever there is. */
static void
test_look(void)
{
    g_autoptr(GPtrArray) found = NULL;

    listening_look(NULL, on_look, &found);
    while (found == NULL)
        (void)g_main_context_iteration(NULL, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/listening/tables", test_tables);
    g_test_add_func("/listening/nonsense", test_nonsense);
    g_test_add_func("/listening/look", test_look);
    return g_test_run();
}
