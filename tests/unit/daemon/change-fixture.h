/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An app with its own state and configuration, on a disk that can be held and can fail. HEARD has
 * what the observer heard: +NAME, -NAME, ~NAME, and the policy as the ids of its rules and the
 * default. */
#pragma once

#include "daemon/app.h"
#include "tests/unit/daemon/await.h"

#include <stdatomic.h>

#define SERVICE "HostName=localhost:9;SharedAccessKeyName=service;SharedAccessKey=Y2FuYXJ5"
#define HUBS "[hub a]\nConnectionStringFile=@/service\n"

/* While the disk is held each sync waits; while it fails each sync fails. */
extern atomic_bool change_held, change_fails;
extern atomic_uint change_writes; /* how many writes of the state have begun */

typedef struct {
    char *dir, *file;
    App *app;
    GString *heard;
} ChangeFixture;

void change_write_file(const ChangeFixture *fixture, const char *name, const char *text);
void change_start(ChangeFixture *fixture);
void change_set_up(ChangeFixture *fixture, gconstpointer data);
void change_tear_down(ChangeFixture *fixture, gconstpointer data);
void change_assert_heard(ChangeFixture *fixture, const char *text);
AppChange *change_add_target(ChangeFixture *fixture, const char *name, Awaited *done);
AppChange *change_add_hub(ChangeFixture *fixture, const char *name, Awaited *done);
AppChange *change_add_rule(ChangeFixture *fixture, Awaited *done);
AppChange *
change_keep_tunnel(ChangeFixture *fixture, const char *hub, const char *stream, Awaited *done);
/* Starts one change, whose saving waits until the disk is no longer held. */
void change_hold(ChangeFixture *fixture, Awaited *done);
/* What is in force, in the form of HEARD. */
char *change_shown(ChangeFixture *fixture);
