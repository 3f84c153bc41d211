/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Web page: an answer that no hub gives, but something on the way to it: the sign-in page of a
 * network (a captive portal), a filter, or a web server at the hub's address. Pure; any thread. */
#pragma once

#include "common/codec/http-head.h"

/* What people are told of such an answer; NULL: a hub may have given it. Caller frees. */
char *web_page_text(const HttpResponse *response);
