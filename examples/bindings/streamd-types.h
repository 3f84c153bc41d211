/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three types in the interfaces of streamd that Qt has no name for, for
 * qdbusxml2cpp -i streamd-types.h. Register those that you use:
 * qDBusRegisterMetaType<StreamdDevices>(). */
#pragma once

#include <QDBusArgument>
#include <QList>
#include <QVariantMap>

using StreamdDevices = QList<QVariantMap>; /* aa{sv}: a page of devices */

/* (ssa{sv}): a step of a diagnosis and what came of it */
struct StreamdCheck {
    QString step, result;
    QVariantMap details;
};
using StreamdChecks = QList<StreamdCheck>;

/* (ta{sv}): a rule of the accept policy */
struct StreamdRule {
    qulonglong id;
    QVariantMap rule;
};
using StreamdRules = QList<StreamdRule>;

Q_DECLARE_METATYPE(StreamdCheck)
Q_DECLARE_METATYPE(StreamdRule)

inline QDBusArgument &
operator<<(QDBusArgument &out, const StreamdCheck &check)
{
    out.beginStructure();
    out << check.step << check.result << check.details;
    out.endStructure();
    return out;
}

inline const QDBusArgument &
operator>>(const QDBusArgument &in, StreamdCheck &check)
{
    in.beginStructure();
    in >> check.step >> check.result >> check.details;
    in.endStructure();
    return in;
}

inline QDBusArgument &
operator<<(QDBusArgument &out, const StreamdRule &rule)
{
    out.beginStructure();
    out << rule.id << rule.rule;
    out.endStructure();
    return out;
}

inline const QDBusArgument &
operator>>(const QDBusArgument &in, StreamdRule &rule)
{
    in.beginStructure();
    in >> rule.id >> rule.rule;
    in.endStructure();
    return in;
}
