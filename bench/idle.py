# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a connected device that does nothing costs the hub: growth of its RSS, divided by the connections."""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from chains import Hub
from processes import Failure, rss_bytes

PER_ADDRESS = 50  # connections from one source address: the hub limits the rate of new ones
SETTLE = 2        # seconds
ADDERS = 8        # that add devices at once: each waits for a synced commit


def text_field(text):
    data = text.encode()
    return struct.pack('>H', len(data)) + data


def packet(first, body):
    length, size = b'', len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (128 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect_packet(host, device, token):
    user = f'{host}/{device}/?api-version=2021-04-12&DeviceClientType=bench'
    return packet(0x10, text_field('MQTT') + bytes([4, 0xC0]) + struct.pack('>H', 600)
                  + text_field(device) + text_field(user) + text_field(token))


SUBSCRIBE = packet(0x82, struct.pack('>H', 1) + text_field('$iothub/streams/POST/#') + b'\0')


def sas_token(resource, key, policy):
    resource = urllib.parse.quote(resource, safe='')
    expiry = int(time.time()) + 3600
    mac = hmac.new(base64.b64decode(key), f'{resource}\n{expiry}'.encode(), hashlib.sha256).digest()
    signature = urllib.parse.quote(base64.b64encode(mac), safe='')
    return f'SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}'


def read_exactly(connection, size):
    data = b''
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise Failure('the hub closed the connection of a device')
        data += piece
    return data


def open_device(hub, context, number, policy):
    """A device that is connected and subscribed."""
    device = f'idle{number}'
    raw = socket.create_connection(('127.0.0.1', hub.mqtts), source_address=(f'127.1.{number // PER_ADDRESS}.1', 0))
    connection = context.wrap_socket(raw, server_hostname='localhost')
    token = sas_token(f'localhost/devices/{device}', policy['SharedAccessKey'], policy['SharedAccessKeyName'])
    connection.sendall(connect_packet('localhost', device, token))
    answer = read_exactly(connection, 4)
    if answer[:1] != b'\x20' or answer[3] != 0:
        raise Failure(f'CONNACK {answer.hex()} for {device}')
    connection.sendall(SUBSCRIBE)
    answer = read_exactly(connection, 5)
    if answer[:1] != b'\x90' or answer[4] > 1:
        raise Failure(f'SUBACK {answer.hex()} for {device}')
    return connection


def connection_string(hub, *words):
    text = hub.verb('connection-string', *words).strip()
    return dict(pair.split('=', 1) for pair in text.split(';'))


def start(processes, hub, name):
    process = processes.start(name, hub.command())
    hub.wait(process)
    return process


def measure_idle(processes, scratch, build, count):
    folder = os.path.join(scratch, 'idle')
    os.mkdir(folder)
    hub = Hub(processes, folder, build, 9502, 9503)
    process = start(processes, hub, 'idle-prepare')
    with ThreadPoolExecutor(ADDERS) as pool:
        list(pool.map(lambda number: hub.verb('device', 'add', f'idle{number}'), range(count)))
    policy = connection_string(hub, 'user', 'device')
    context = ssl.create_default_context(cafile=hub.ca)
    processes.stop(process)
    # Started again: what adding the devices left in the heap would be memory that costs nothing.
    process = start(processes, hub, 'idle-hub')
    time.sleep(SETTLE)
    before = rss_bytes(process.pid)
    devices = [open_device(hub, context, number, policy) for number in range(count)]
    time.sleep(SETTLE)
    after = rss_bytes(process.pid)
    for device in devices:
        device.close()
    processes.stop(process)
    return {'connections': count, 'rss_before': before, 'rss_after': after, 'per_connection': (after - before) / count}
