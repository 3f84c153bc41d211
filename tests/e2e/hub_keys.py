# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both keys of everybody, and who goes when one of several is revoked: the hub alone, with peers by hand."""
import wire
from harness import check, check_equal, eventually, main
from hub_wire import check_accepted, check_echo, with_hub

PLENTY = "[hub]\nreconnects-per-minute = 1000\npenalty = 0\n"
PLACES = (("dev1", None), ("dev1", "m"), ("dev1", "n"), ("dev10", None), ("dev10", "m"))


def client_id(device, module):
    return f"{device}/{module}" if module else device


def keys_of(hub, kind, name, module=None):
    """(primary, secondary)"""
    words = ["connection-string", kind, name] + (["--module", module] if module else [])
    return [wire.parse_connection_string(hub.hub.admin(*words, *more).strip())["SharedAccessKey"]
            for more in ((), ("--secondary",))]


def add_all(hub):
    """Devices with modules, and a user; their keys."""
    for device, module in PLACES:
        hub.hub.admin("device", "add", device, *(["--module", module] if module else []))
    hub.hub.admin("policy", "add", "anna", "--rights", "service-connect")
    keys = {client_id(*place): keys_of(hub, "device", *place) for place in PLACES}
    check_equal(len({key for pair in keys.values() for key in pair}), 2 * len(PLACES), "different keys")
    return keys, keys_of(hub, "policy", "anna")


def connack(hub, name, key, port):
    device = wire.Device(port, hub.ca, name, key)
    device.close()
    return device.connack


def check_keys(hub, keys, anna):
    """Each opens its own door, with either port, and no other."""
    for name, pair in keys.items():
        for key in pair:
            check_equal(connack(hub, name, key, hub.port), 0, f"{name} on 443")
            check_equal(connack(hub, name, key, hub.mqtts_port), 0, f"{name} on 8883")
        for other in (*keys.get("dev10", ()), *anna) if name != "dev10" else anna:
            check_equal(connack(hub, name, other, hub.port), 5, f"{name} by another's key")
    for key in anna:
        token = wire.sas("localhost", key, policy="anna")
        check_equal(hub.post("dev1", token=token).read().status, 404, "away, so the user was let in")
    for key in keys["dev1"]:
        token = wire.sas("localhost", key, policy="anna")
        check_equal(hub.post("dev1", token=token).read().status, 401, "a device's key is no user's")


@with_hub(PLENTY)
def both_keys(hub):
    """device, module and user: by the primary key and by the secondary, also after a restart of the hub"""
    keys, anna = add_all(hub)
    check_keys(hub, keys, anna)
    hub.restart(PLENTY)
    check_equal(keys_of(hub, "policy", "anna"), anna, "the user's keys")
    check_keys(hub, keys, anna)


class Place:
    """A device or module that is connected, with an open stream of a user."""

    def __init__(self, hub, keys, device, module, token):
        self.hub, self.token = hub, token
        self.name = client_id(device, module)
        self.device = wire.Device(hub.port, hub.ca, self.name, keys[self.name][1])
        check_equal(self.device.connack, 0, self.name)
        self.device.subscribe()
        self.path = f"/twins/{device}" + (f"/modules/{module}" if module else "") + "/streams/ssh?api-version=x"
        self.legs = self.open()

    def open(self):
        post = self.hub.post(path=self.path, token=self.token)
        request = self.device.request()
        self.device.answer(request, 200)
        answer = post.read()
        check_accepted(answer)
        return self.hub.device_leg(request), self.hub.service_leg(answer)

    def check_there(self):
        check_echo(*self.legs, size=1000)
        check(self.device.ping(), f"{self.name} is connected")

    def check_ended(self):
        """Both legs of the stream."""
        for leg in self.legs:
            check_equal(leg.closed()[0], 1008, f"{self.name}: what its leg is told")

    def check_gone(self):
        self.check_ended()
        check(self.device.is_closed(), f"{self.name} is not connected any more")


def user_token(hub, name):
    return wire.sas("localhost", hub.key("policy", name), policy=name)


@with_hub(PLENTY)
def one_of_several(hub):
    """a module of two is disabled, then its device, then another device is removed: those go, the others stay"""
    keys, _ = add_all(hub)
    token = user_token(hub, "anna")
    places = {client_id(*place): Place(hub, keys, *place, token) for place in PLACES}

    def after(words, gone, left):
        hub.hub.admin("device", *words)
        for name in gone:
            places[name].check_gone()
        for name in left:
            places[name].check_there()
        check_equal(hub.streams(), len(left), "streams")

    after(("disable", "dev1", "--module", "m"), ["dev1/m"], ["dev1", "dev1/n", "dev10", "dev10/m"])
    check_equal(connack(hub, "dev1/m", keys["dev1/m"][1], hub.port), 5, "a module that is disabled")
    check_equal(connack(hub, "dev10/m", keys["dev10/m"][0], hub.port), 0, "one of the same name")
    places["dev10/m"] = Place(hub, keys, "dev10", "m", token)
    eventually(lambda: hub.streams() == 5, "a stream of a link that was taken over goes on")
    after(("remove", "dev10", "--module", "m"), ["dev10/m"], ["dev1", "dev1/n", "dev10"])
    after(("disable", "dev1"), ["dev1", "dev1/n"], ["dev10"])
    after(("remove", "dev10"), ["dev10"], [])


@with_hub(PLENTY)
def a_user_on_two_devices(hub):
    """a user is removed: its streams of two devices and a module end, another's stay, and so do the devices"""
    keys, _ = add_all(hub)
    hub.hub.admin("policy", "add", "annabel", "--rights", "service-connect")
    places = [Place(hub, keys, *place, user_token(hub, "anna")) for place in PLACES[:4]]
    for place in places:
        place.annas, place.token = place.legs, user_token(hub, "annabel")
        place.legs = place.open()
    hub.hub.admin("policy", "remove", "anna")
    for place in places:
        place.check_there()
        place.legs = place.annas
        place.check_ended()
    check_equal(hub.streams(), len(places), "those of the other user")


if __name__ == "__main__":
    main(both_keys, one_of_several, a_user_on_two_devices)
