"""The part of CBOR (RFC 8949) that AWS's rpc-v2-cbor protocol uses."""

import datetime
import struct


def encode(value) -> bytes:
    """Python value -> CBOR; datetimes become epoch seconds with tag 1."""
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(
            encode(str(key)) + encode(one) for key, one in value.items())
    if isinstance(value, datetime.datetime):
        return _head(6, 1) + encode(value.timestamp())
    raise TypeError(f"no CBOR for {type(value).__name__}")


def decode(data: bytes):
    """CBOR -> Python value; a timestamp (tag 1) becomes its number of seconds."""
    return _item(data, 0)[0] if data else {}


def _head(major: int, number: int) -> bytes:
    for bound, info, form in ((24, None, ""), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"),
                              (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
        if number < bound:
            if info is None:
                return bytes([major << 5 | number])
            return bytes([major << 5 | info]) + struct.pack(form, number)
    raise ValueError("integer too large for CBOR")


def _item(data: bytes, at: int):
    major, info = data[at] >> 5, data[at] & 31
    if major == 7:
        return _simple(data, at, info)
    if info == 31:
        return _indefinite(data, at + 1, major)
    number, at = _number(data, at + 1, info)
    if major in (0, 1):
        return (number if major == 0 else -1 - number), at
    if major in (2, 3):
        raw = data[at:at + number]
        return (raw if major == 2 else raw.decode()), at + number
    if major == 6:
        return _item(data, at)
    return _collection(data, at, major, number)


def _number(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    size = 1 << (info - 24)
    return int.from_bytes(data[at:at + size], "big"), at + size


def _simple(data: bytes, at: int, info: int):
    floats = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
    if info in floats:
        form, size = floats[info]
        return struct.unpack(form, data[at + 1:at + 1 + size])[0], at + 1 + size
    return {20: False, 21: True}.get(info), at + 1


def _collection(data: bytes, at: int, major: int, count: int):
    items = []
    for _ in range(count * (2 if major == 5 else 1)):
        item, at = _item(data, at)
        items.append(item)
    return _shape(major, items), at


def _indefinite(data: bytes, at: int, major: int):
    items = []
    while data[at] != 0xFF:
        item, at = _item(data, at)
        items.append(item)
    return _shape(major, items), at + 1


def _shape(major: int, items: list):
    if major == 5:
        return dict(zip(items[::2], items[1::2]))
    if major in (2, 3):
        return (b"" if major == 2 else "").join(items)
    return items
