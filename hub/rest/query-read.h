/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only for hub/rest/query.c: the text of a query. Pure; any thread. */
#pragma once

#include "hub/rest/query.h"

/* As query_parse. On FALSE QUERY is for query_clear, too. */
gboolean query_read(const char *text, Query *query, char **ret_why);
