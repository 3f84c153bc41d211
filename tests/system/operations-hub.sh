# SPDX-License-Identifier: LGPL-2.1-or-later
# A hub of the operations, and the machine to which it moves: installed, and nothing more.
. /test-lib/operations.sh

obey "$(</etc/hostname)"
