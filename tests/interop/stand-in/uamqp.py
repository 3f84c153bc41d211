# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for uamqp, which azure-iot-hub imports and which is machine code of a few versions of Python: the hub
has no AMQP, and the registry manager asks by HTTP alone. Whoever sends a message by this fails."""
import enum
import types


class TransportType(enum.Enum):
    Amqp = 1
    AmqpOverWebsocket = 3


class _Auth:
    def __init__(self, **_):
        pass

    def update_token(self):
        pass


class SendClient:
    def __init__(self, **_):
        pass

    def close(self):
        pass


authentication = types.SimpleNamespace(JWTTokenAuth=_Auth)
