# SPDX-License-Identifier: LGPL-2.1-or-later
"""A service and a device by hand whose streams survive their legs (docs/wire-protocol.md, section 8a)."""
import base64
import os

from harness import check, check_equal
from hub_wire import check_accepted

TEXT = 1
SERVICE = "half-close, reason, resume"
AGREED = "half-close.reason.resume"
DEVICE = "streamd/1.0 (caps=half-close,reason,deadline,initiator,sid,order,notice,resume)"
NO_RESUME = DEVICE.replace(",resume", "")


def new_key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def first(key):
    return [("streamd-resume-key", key)]


def again(key, stream, attempt=1, info=None):
    fields = [("streamd-resume", f"{stream} {attempt}"), *first(key)]
    return fields + ([("streamd-resume-info", info)] if info else [])


def answer(device, request, status, caps=AGREED, reason=""):
    rest = f"&$sid={request.properties['$sid']}" + (f"&$streamd={caps}" if caps else "") + (f"&$reason={reason}" if reason else "")
    device.answer(request, status, rest)


class Pair:
    """A stream of both, open: `device` and `service` are its legs, `id` is its own."""

    def __init__(self, hub, device, key=None, fields=None, **kwargs):
        self.key = key or new_key()
        post = hub.post(device.name, caps=SERVICE, more=fields or first(self.key), **kwargs)
        self.request = device.request()
        answer(device, self.request, 200)
        self.answer = post.read()
        check_accepted(self.answer)
        check_equal(self.answer.get("streamd-caps"), "half-close,reason,resume", "streamd-caps")
        self.id = self.answer.get("streamd-stream-id")
        self.device = hub.device_leg(self.request)
        self.service = hub.service_leg(self.answer)

    def begin(self):
        for near, far in ((self.device, self.service), (self.service, self.device)):
            say(near, "r 0 32768")
            check_equal(word(far), "r 0 32768", "the first word")


def say(leg, text):
    leg.send(text.encode(), opcode=TEXT)


def part(leg):
    """The next frame that is no ping: (is it text, its bytes); a close is (code, text)."""
    while True:
        opcode, payload = leg.frame()
        if opcode == 8:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()
        if opcode in (1, 2):
            return opcode == TEXT, payload


def word(leg):
    is_text, payload = part(leg)
    check(is_text is True, f"a word, not {payload!r}")
    return payload.decode()
