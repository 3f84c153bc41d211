/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/codec/quantity.h"

#include <string.h>

#define FRACTION_DIGITS 6
#define FRACTION 1000000 /* 10 to the power of FRACTION_DIGITS */

typedef struct {
    const char *name;
    guint64 scale;
} Unit;

#define MSEC G_GUINT64_CONSTANT(1000)
#define SEC (1000 * MSEC)

/* Of several names for a unit, the last one is shown. */
static const Unit times[] = {
    {"usec", 1},
    {"us", 1},
    {"msec", MSEC},
    {"ms", MSEC},
    {"seconds", SEC},
    {"second", SEC},
    {"sec", SEC},
    {"s", SEC},
    {"minutes", 60 * SEC},
    {"minute", 60 * SEC},
    {"m", 60 * SEC},
    {"min", 60 * SEC},
    {"hours", 3600 * SEC},
    {"hour", 3600 * SEC},
    {"hr", 3600 * SEC},
    {"h", 3600 * SEC},
    {"days", 86400 * SEC},
    {"day", 86400 * SEC},
    {"d", 86400 * SEC},
    {"weeks", 604800 * SEC},
    {"week", 604800 * SEC},
    {"w", 604800 * SEC},
};

static const Unit sizes[] = {
    {"B", 1},
    {"K", G_GUINT64_CONSTANT(1) << 10},
    {"M", G_GUINT64_CONSTANT(1) << 20},
    {"G", G_GUINT64_CONSTANT(1) << 30},
    {"T", G_GUINT64_CONSTANT(1) << 40},
    {"P", G_GUINT64_CONSTANT(1) << 50},
};

static guint64
unit_find(const Unit *units, gsize count, const char *name, gsize len)
{
    for (gsize i = 0; i < count; i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
            return units[i].scale;
    return 0;
}

/* The digits before the point. FALSE: the number is too large. */
static gboolean
take_whole(const char **text, guint64 *ret)
{
    guint64 value = 0;

    for (; g_ascii_isdigit(**text); (*text)++)
        if (!g_uint64_checked_mul(&value, value, 10) ||
            !g_uint64_checked_add(&value, value, (guint64)g_ascii_digit_value(**text)))
            return FALSE;
    *ret = value;
    return TRUE;
}

/* ".25", in units of 10^-FRACTION_DIGITS; further digits are ignored. */
static guint64
take_fraction(const char **text)
{
    guint64 value = 0;
    guint digits = 0;

    for (; g_ascii_isdigit(**text); (*text)++)
        if (digits < FRACTION_DIGITS) {
            value = value * 10 + (guint64)g_ascii_digit_value(**text);
            digits++;
        }
    for (; digits < FRACTION_DIGITS; digits++)
        value *= 10;
    return value;
}

/* fraction * scale / FRACTION, rounded down; the product may have more than 64 bits. */
static guint64
scale_fraction(guint64 fraction, guint64 scale)
{
    return fraction * (scale / FRACTION) + fraction * (scale % FRACTION) / FRACTION;
}

static gboolean
add_scaled(guint64 whole, guint64 fraction, guint64 scale, guint64 *sum)
{
    guint64 part = scale_fraction(fraction, scale);
    guint64 value;

    return g_uint64_checked_mul(&value, whole, scale) &&
           g_uint64_checked_add(&value, value, part) && g_uint64_checked_add(sum, *sum, value);
}

/* "1.5", spaces, "h": a number and its unit. Without a unit, PLAIN counts. */
static gboolean
take_term(const char **text, const Unit *units, gsize count, guint64 plain, guint64 *sum)
{
    guint64 whole, fraction = 0, scale = plain;
    gsize len;

    if (!g_ascii_isdigit(**text) || !take_whole(text, &whole))
        return FALSE;
    if (**text == '.') {
        (*text)++;
        if (!g_ascii_isdigit(**text))
            return FALSE;
        fraction = take_fraction(text);
    }
    *text += strspn(*text, " ");
    for (len = 0; g_ascii_isalpha((*text)[len]); len++)
        ;
    if (len > 0)
        scale = unit_find(units, count, *text, len);
    *text += len;
    *text += strspn(*text, " ");
    return scale > 0 && add_scaled(whole, fraction, scale, sum);
}

static gboolean
is_short(const char *text)
{
    return strnlen(text, QUANTITY_TEXT_MAX + 1) <= QUANTITY_TEXT_MAX;
}

gboolean
quantity_parse_time(const char *text, guint64 *ret_usec)
{
    guint64 sum = 0;

    if (!is_short(text))
        return FALSE;
    do {
        if (!take_term(&text, times, G_N_ELEMENTS(times), SEC, &sum))
            return FALSE;
    } while (*text);
    *ret_usec = sum;
    return TRUE;
}

gboolean
quantity_parse_size(const char *text, guint64 *ret_bytes)
{
    guint64 sum = 0;

    if (!is_short(text) || !take_term(&text, sizes, G_N_ELEMENTS(sizes), 1, &sum) || *text)
        return FALSE;
    *ret_bytes = sum;
    return TRUE;
}

char *
quantity_format_time(guint64 usec)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = G_N_ELEMENTS(times); i > 0; i--) {
        const Unit *unit = &times[i - 1];
        guint64 count = usec / unit->scale;

        if (count == 0)
            continue;
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT "%s", text->len > 0 ? " " : "", count,
                               unit->name);
        usec %= unit->scale;
    }
    return g_strdup(text->len > 0 ? text->str : "0");
}

char *
quantity_format_size(guint64 bytes)
{
    for (gsize i = G_N_ELEMENTS(sizes) - 1; i > 0 && bytes > 0; i--)
        if (bytes % sizes[i].scale == 0)
            return g_strdup_printf("%" G_GUINT64_FORMAT "%s", bytes / sizes[i].scale,
                                   sizes[i].name);
    return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
}
