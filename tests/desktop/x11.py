# SPDX-License-Identifier: LGPL-2.1-or-later
"""An X server's windows, without a window manager: which there are, how small they may be, how big they
are made, and what is in them as a picture. It takes libX11, which GTK has anyway."""
import ctypes
import struct
import zlib
from typing import NamedTuple

X = ctypes.CDLL("libX11.so.6")
X.XOpenDisplay.restype = ctypes.c_void_p
X.XDefaultRootWindow.restype = ctypes.c_ulong
X.XGetImage.restype = ctypes.c_void_p
X.XInternAtom.restype = ctypes.c_ulong
# A window may go while it is looked at; Xlib would end the process.
FORGIVE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
X.XSetErrorHandler(FORGIVE)
P_MIN_SIZE, Z_PIXMAP, VIEWABLE = 1 << 4, 2, 2


class Attributes(ctypes.Structure):
    """XWindowAttributes, of which only the first and the map state are looked at."""
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int), ("width", ctypes.c_int), ("height", ctypes.c_int),
                ("border", ctypes.c_int), ("depth", ctypes.c_int), ("visual", ctypes.c_void_p),
                ("root", ctypes.c_ulong), ("kind", ctypes.c_int), ("bit_gravity", ctypes.c_int),
                ("win_gravity", ctypes.c_int), ("backing", ctypes.c_int), ("planes", ctypes.c_ulong),
                ("pixel", ctypes.c_ulong), ("save_under", ctypes.c_int), ("colormap", ctypes.c_ulong),
                ("installed", ctypes.c_int), ("map_state", ctypes.c_int), ("rest", ctypes.c_long * 8)]


class Hints(ctypes.Structure):
    """XSizeHints."""
    _fields_ = [("flags", ctypes.c_long), ("position", ctypes.c_int * 2), ("size", ctypes.c_int * 2),
                ("least", ctypes.c_int * 2), ("most", ctypes.c_int * 2), ("rest", ctypes.c_int * 16)]


class Image(ctypes.Structure):
    """The head of an XImage."""
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int), ("offset", ctypes.c_int),
                ("format", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte)),
                ("order", ctypes.c_int), ("unit", ctypes.c_int), ("bit_order", ctypes.c_int),
                ("pad", ctypes.c_int), ("depth", ctypes.c_int), ("line", ctypes.c_int)]


class Window(NamedTuple):
    handle: int
    x: int
    y: int
    width: int
    height: int


class Picture(NamedTuple):
    """Rows of pixels, blue, green, red and nothing, as an X server without a card has them."""
    width: int
    height: int
    data: bytes

    def pixel(self, x, y):
        at = 4 * (y * self.width + x)
        return self.data[at + 2], self.data[at + 1], self.data[at]

    def png(self):
        rows = bytearray()
        for y in range(self.height):
            row = bytearray(3 * self.width)
            line = self.data[4 * y * self.width:4 * (y + 1) * self.width]
            row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
            rows += b"\0" + row

        def chunk(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b""))


class Windows:
    """The windows of one display, from another connection than the app's."""

    def __init__(self, display):
        self.display = ctypes.c_void_p(X.XOpenDisplay(display.encode()))
        self.root = ctypes.c_ulong(X.XDefaultRootWindow(self.display))

    def all(self):
        """Those that are on the screen, the lowest first."""
        ours, parent, children = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)()
        count = ctypes.c_uint()
        X.XQueryTree(self.display, self.root, ctypes.byref(ours), ctypes.byref(parent), ctypes.byref(children),
                     ctypes.byref(count))
        found = []
        for handle in children[:count.value]:
            seen = Attributes()
            X.XGetWindowAttributes(self.display, ctypes.c_ulong(handle), ctypes.byref(seen))
            if seen.map_state == VIEWABLE and seen.width > 1:
                found.append(Window(handle, seen.x, seen.y, seen.width, seen.height))
        return found

    def titles(self):
        """Of those that are on the screen."""
        found = []
        for window in self.all():
            text = ctypes.c_char_p()
            X.XFetchName(self.display, ctypes.c_ulong(window.handle), ctypes.byref(text))
            found.append((text.value or b"").decode("utf-8", "replace"))
        return found

    def least(self, window):
        """The least width and height that it asks a window manager for."""
        hints, supplied = Hints(), ctypes.c_long()
        X.XGetWMNormalHints(self.display, ctypes.c_ulong(window.handle), ctypes.byref(hints), ctypes.byref(supplied))
        return tuple(hints.least) if hints.flags & P_MIN_SIZE else (0, 0)

    def place(self, window, width, height, x=0, y=0):  # pylint: disable=too-many-arguments
        X.XMoveResizeWindow(self.display, ctypes.c_ulong(window.handle), x, y, width, height)
        X.XSync(self.display, 0)

    def raise_(self, window):
        """In front of the others."""
        X.XRaiseWindow(self.display, ctypes.c_ulong(window.handle))
        X.XSync(self.display, 0)

    def picture(self, window=None):
        """What is on the screen where the window is, or on all of it."""
        if window is None:
            seen = Attributes()
            X.XGetWindowAttributes(self.display, self.root, ctypes.byref(seen))
            window = Window(0, 0, 0, seen.width, seen.height)
        taken = X.XGetImage(self.display, self.root, window.x, window.y, window.width, window.height,
                            ctypes.c_ulong(0xFFFFFFFF), Z_PIXMAP)
        image = ctypes.cast(taken, ctypes.POINTER(Image)).contents
        data = ctypes.string_at(image.data, image.line * image.height)
        picture = Picture(image.width, image.height, data)
        X.XFree(image.data)
        X.XFree(ctypes.c_void_p(taken))
        return picture
