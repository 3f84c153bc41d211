/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in its own folder, an example of a state, and its files for direct access. The caller
 * owns texts that are returned. */
#pragma once

#include "daemon/config/store.h"

#define SECOND_IDENTITY "HostName=hub.example;DeviceId=gw1;SharedAccessKey=b3RoZXI="
#define IDENTITY "HostName=hub.example;DeviceId=gw1;SharedAccessKey=Y2FuYXJ5Y2FuYXJ5"

typedef struct {
    char *dir, *state, *secrets; /* SECRETS: the file of versions before 4 */
    Store *store;
} StoreFixture;

char *store_path(const StoreFixture *fixture, const char *name);
gboolean store_has(const StoreFixture *fixture, const char *name);
void store_start_again(StoreFixture *fixture);
void store_set_up(StoreFixture *fixture, gconstpointer data);
void store_tear_down(StoreFixture *fixture, gconstpointer data);
StoreState *store_example(void);
void store_assert_example(const StoreState *state);
void store_save_example(StoreFixture *fixture);
StoreState *store_load_well(StoreFixture *fixture);
char *store_load_fails(StoreFixture *fixture, const char *path);
void store_overwrite(const char *path, const char *bytes, gsize len);
void store_write_version(const char *path, int version, const char *body);
char *store_contents(const StoreFixture *fixture, const char *name);
void store_assert_mode(const StoreFixture *fixture, const char *name, mode_t mode);

#define STORE_TEST(name, function)                                                                 \
    g_test_add("/" name, StoreFixture, NULL, store_set_up, function, store_tear_down)
