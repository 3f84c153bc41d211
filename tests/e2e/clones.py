# SPDX-License-Identifier: LGPL-2.1-or-later
"""One identity on two machines, as after an image with a key in it was copied: both are told, the
operator sees it, and the two do not fight at full speed. A restart is no second machine."""
import json
import os
import threading
import time

import wire
from harness import LONG, SANITIZED, Site, check, check_equal, eventually, listed, main
from hub_wire import with_hub

FIGHT_S = 120 if LONG else 12
TWIN = "gw-1"


def hub_of(daemon):
    return listed(daemon.ctl_json("hub", "list"), "hubs")[0]


def shown(site, device=TWIN):
    return json.loads(site.hub.admin("device", "show", device, "--json"))


def take_overs_logged(site):
    """How often a connection of the device replaced another one."""
    return site.hub.log().count("connected again")


def twins(site, transport):
    """Two streamd with the same connection string."""
    credentials = site.hub.add_device(TWIN)
    more = ("--transport", "mqtts", "--mqtt-port", str(site.hub.mqtts_port)) if transport == "mqtts" else ()
    daemons = [site.start_daemon(name) for name in ("one", "two")]
    for daemon in daemons:
        daemon.add_hub("office", credentials, site.hub.ca, *more)
        eventually(lambda d=daemon: hub_of(d)["state"] == "connected", "connected", 20)
    return daemons


def told(transport):
    """By which of the two transports: each is told, and says so wherever a person looks."""
    with Site(gateway=False, client=False) as site:
        daemons = twins(site, transport)
        began = time.monotonic()
        for daemon in daemons:
            eventually(lambda d=daemon: hub_of(d)["take_overs"] > 0, f"{daemon.name} is told")
        print(f"# measured: both are told by {transport} after {time.monotonic() - began:.1f} s")
        for daemon in daemons:
            check("another machine uses this identity, too" in daemon.ctl_ok("status"), "status")
            check("another machine uses this identity, too" in daemon.ctl_ok("hub", "list"), "hub list")
            done = daemon.ctl("doctor")
            check("copied image" in done.stdout + done.stderr, f"doctor: {done.stdout}")
            check("another machine uses the identity" in daemon.log(), "the log of streamd")
        device = shown(site)
        check(device["take_overs"] > 0 and device["last_take_over"] >= device["take_overs_since"], f"{device}")
        check("two machines have this identity" in site.hub.admin("device", "show", TWIN), "device show")
        check_equal(json.loads(site.hub.admin("status", "--json"))["cloned_devices"], 1, "status")
        check("Two machines use the identity of gw-1" in site.hub.log(), "the log of the hub")
        listing = site.hub.admin("device", "list", "--columns", "device,take-overs").splitlines()
        check_equal(listing[1].split()[0], TWIN, "device list")
        check(int(listing[1].split()[1]) > 0, "device list")


def told_by_wss():
    """both are told by close 1008, and status, doctor, device show, list and both logs have it"""
    told("wss")


def told_by_mqtts():
    """the same on 8883, by a notice at the next link"""
    told("mqtts")


def fight(site, results, name):
    twins(site, "wss")
    before = take_overs_logged(site)
    time.sleep(FIGHT_S)
    results[name] = take_overs_logged(site) - before


def slower():
    """how often two take over from each other when they are told apart, and when they are not"""
    results = {}
    with Site(gateway=False, client=False) as site, Site(gateway=False, client=False) as other:
        path = os.path.join(other.dir, "blind.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("[hub]\nclone-window = 0\n")
        check_equal(other.hub.stop(), 0, "the hub's exit status")
        other.start_hub(["--config", path])
        threads = [threading.Thread(target=fight, args=(one, results, name))
                   for one, name in ((site, "told"), (other, "blind"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"# measured: take-overs in {FIGHT_S} s: {results['blind']} when nobody is told, {results['told']} else")
        check(results["told"] <= (12 if LONG else 5), f"{results}")
        check(not LONG or results["blind"] > results["told"], f"{results}")
        check("take_overs" not in shown(other), "it is switched off")


def restarts():
    """streamd that is restarted, killed, and whose link is cut again and again is one machine"""
    with Site(client=False) as site:
        for how in ("TERM", "KILL", "TERM"):
            site.gateway.stop(*((9,) if how == "KILL" else ()))
            site.gateway = site.start_daemon("gateway")
            site.wait_online("gw-1")
        for _ in range(3):
            site.gateway.ctl_ok("hub", "disconnect", "office")
            site.gateway.ctl_ok("hub", "connect", "office")
            site.wait_online("gw-1")
        check("take_overs" not in shown(site), f"{shown(site)}")
        check_equal(hub_of(site.gateway)["take_overs"], 0, "streamd")
        done = site.gateway.ctl("doctor", "--json")
        steps = [one for one in json.loads(done.stdout)[-1]["checks"] if one["step"] == "identity"]
        check_equal([one["result"] for one in steps], ["ok"], f"doctor: {done.stdout}")


def kind(instance, caps="notice"):
    return f"streamd/9 (caps={caps}) (instance={instance})"


@with_hub("[hub]\nreconnects-per-minute = 100000\n")
def garbage(hub):
    """instances that are garbage, and a thousand invented ones: nothing is a clone, memory is bounded"""
    good = hub.device("good", client_type=kind("f" * 16))
    before = hub.hub.status_kib("VmRSS")
    for text in ("", "f", "F" * 16, "g" * 16, "0" * 17, "0" * 7000, "\0" * 16, "0" * 15 + ")", "%00", "(instance="):
        for _ in range(3):
            evil = hub.device("evil", client_type=kind(text), subscribe=False)
            check_equal(evil.connack, 0, "CONNACK")
    for number in range(1000):
        device = wire.Device(hub.mqtts_port, hub.ca, "evil", hub.add("evil"), client_type=kind(f"{number:016x}"))
        check_equal(device.connack, 0, "CONNACK")
        device.close()
    check("take_overs" not in shown(hub.site, "evil"), "a clone")
    grown = hub.hub.status_kib("VmRSS") - before
    print(f"# measured: the hub grew by {grown} KiB with a thousand instances")
    check(SANITIZED or grown < 8192, f"the hub grew by {grown} KiB")
    # It may only say so of itself.
    for instance in ("a" * 16, "b" * 16, "a" * 16):
        device = hub.device("evil", client_type=kind(instance), subscribe=False)
    check(shown(hub.site, "evil")["take_overs"] > 0, "it came back")
    check("take_overs" not in shown(hub.site, "good"), "the other one")
    check(good.ping(), "the other one's link")
    check_equal(device.connack, 0, "CONNACK")



main(told_by_wss, told_by_mqtts, slower, restarts, garbage)
