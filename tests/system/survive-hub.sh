# SPDX-License-Identifier: LGPL-2.1-or-later
# The hub of the streams that survive.
. /test-lib/fleet.sh
. /test-lib/survive.sh

streamhub init --state-dir /var/lib/streamhub --host-name hub.example || exit 1
systemctl enable --now streamhub || exit 1
hub() {
    streamhub --state-dir /var/lib/streamhub "$@"
}
hub device add pump
hub connection-string device pump --output /shared/pump.cs
hub connection-string user service --output /shared/service.cs
cp /var/lib/streamhub/ca.pem /shared/ca.pem
obey hub
