# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device on Microsoft's azure-iot-device, which knows nothing of streams: these go through its own MQTT connection.
See lines.py; beside that:

    sdk CONNECTION-STRING "tcp"|"ws" CA KEEP-ALIVE TOKEN-LIFE  (in place of connect)         twin, report, methods

In the place of TOKEN-LIFE "cert:PATH", as there.
"""
import asyncio
import sys

from azure.iot.device import X509, Message
from azure.iot.device.aio import IoTHubDeviceClient
from azure.iot.device.common.pipeline import pipeline_stages_base
from lines import certificate, say, words


def connection_below(client):
    """The paho client at the end of the SDK's pipeline."""
    stage = client._mqtt_pipeline._pipeline
    while stage.next:
        stage = stage.next
    return stage.transport._mqtt_client


def make(string, transport, ca, keep_alive, life):
    own = certificate(life)
    if own:
        identity = dict(pair.split("=", 1) for pair in string.split(";"))["DeviceId"]
        with open(ca, encoding="ascii") as file:
            return IoTHubDeviceClient.create_from_x509_certificate(
                X509(own, own), "localhost", identity, server_verification_cert=file.read(),
                websockets=transport == "ws", keep_alive=int(keep_alive))
    # Without this a token is renewed two minutes before its end, and no sooner.
    pipeline_stages_base.SasTokenStage.DEFAULT_TOKEN_UPDATE_MARGIN = min(120, int(life) // 3)
    with open(ca, encoding="ascii") as file:
        client = IoTHubDeviceClient.create_from_connection_string(
            string, server_verification_cert=file.read(), websockets=transport == "ws",
            keep_alive=int(keep_alive), sastoken_ttl=int(life))
    return client


def listen(client):
    client.on_connection_state_change = lambda: say(event="connected" if client.connected else "lost", code=0)
    client.on_background_exception = lambda error: say(event="background", why=repr(error))


async def tried(awaitable):
    try:
        return {"value": await awaitable}
    except Exception as error:  # pylint: disable=broad-except
        return {"error": f"{type(error).__name__}: {error}"}


async def methods(client):
    """The subscription is made when the first handler is set; what came of it the SDK does not say."""
    client.on_method_request_received = lambda request: say(event="method", name=request.name)
    await asyncio.sleep(1)
    return {"error": None if client.connected else "not connected"}


async def telemetry(client, _, count):
    sent = await asyncio.gather(*(tried(client.send_message(Message(f"m{number}"))) for number in range(int(count))))
    return {"acknowledged": sum("error" not in one for one in sent)}


async def publish(mqtt, topic, qos, payload):
    await asyncio.to_thread(mqtt.publish(topic, payload, qos=int(qos)).wait_for_publish)
    return {}


async def subscribe(mqtt, topic, qos):
    mqtt.message_callback_add(topic, lambda _c, _u, message: say(event="message", topic=message.topic,
                                                                 payload=message.payload.decode()))
    mqtt.subscribe(topic, int(qos))
    return {}


async def do(client, mqtt, command, *arguments):
    if command == "twin":
        return await tried(client.get_twin())
    if command == "report":
        return await tried(client.patch_twin_reported_properties({"a": 1}))
    if command == "methods":
        return await methods(client)
    if command == "telemetry":
        return await telemetry(client, *arguments)
    return await {"subscribe": subscribe, "publish": publish}[command](mqtt, *arguments)


async def main():
    client = make(*words(sys.stdin.readline())[1:])
    listen(client)
    await client.connect()
    mqtt = connection_below(client)
    while (line := await asyncio.to_thread(sys.stdin.readline)) and line != "quit\n":
        command, *arguments = words(line)
        say(done=command, **await do(client, mqtt, command, *arguments))
    await client.shutdown()


asyncio.run(main())
