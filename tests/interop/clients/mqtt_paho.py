# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device on paho-mqtt, over TCP or WebSocket; see lines.py."""
import sys

from lines import certificate, say, words
from paho.mqtt import client as mqtt


def make(transport, ca, identity, own):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=identity, clean_session=False,
                         transport="websockets" if transport == "ws" else "tcp")
    client.tls_set(ca, own, own)
    client.ws_set_options(path="/$iothub/websocket")
    client.reconnect_delay_set(1, 1)
    client.on_connect = lambda _c, _u, flags, code, _p: say(event="connected", code=code.value,
                                                           present=flags.session_present)
    client.on_disconnect = lambda _c, _u, _f, code, _p: say(event="lost", why=str(code))
    client.on_message = lambda _c, _u, message: say(event="message", topic=message.topic,
                                                    payload=message.payload.decode())
    client.on_subscribe = lambda _c, _u, _m, codes, _p: say(done="subscribe", codes=[code.value for code in codes])
    return client


def publish(client, topic, qos, payload):
    client.publish(topic, payload, qos=int(qos)).wait_for_publish()
    say(done="publish")


def telemetry(client, topic, count):
    sent = [client.publish(topic, f"m{number}", qos=1) for number in range(int(count))]
    for one in sent:
        one.wait_for_publish()
    say(done="telemetry", acknowledged=sum(one.is_published() for one in sent))


def main():
    say(event="started")
    _, host, port, transport, ca, identity, user, password, keep_alive = words(sys.stdin.readline())
    own = certificate(password)
    client = make(transport, ca, identity, own)
    client.username_pw_set(user, None if own else password)
    client.connect(host, int(port), int(keep_alive))
    client.loop_start()
    for line in sys.stdin:
        command, *arguments = words(line)
        if command == "subscribe":
            client.subscribe(arguments[0], int(arguments[1]))
        elif command == "publish":
            publish(client, *arguments)
        elif command == "telemetry":
            telemetry(client, *arguments)
        elif command == "password":
            client.username_pw_set(user, arguments[0])
            say(done="password")
        else:
            break
    client.disconnect()
    client.loop_stop()


main()
