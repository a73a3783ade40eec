"""A small database of countries in the MaxMind DB format 2.0, with GeoLite2's keys."""

import ipaddress
from pathlib import Path

_NOTHING = None


def _encode(value) -> bytes:
    """Text, whole numbers of up to 8 bytes, lists and maps, all of less than 29 items or bytes."""
    if isinstance(value, str):
        return bytes([2 << 5 | len(value.encode())]) + value.encode()
    if isinstance(value, dict):
        return bytes([7 << 5 | len(value)]) + b"".join(
            _encode(key) + _encode(item) for key, item in value.items())
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_encode, value))
    size, number = value
    plain = number.to_bytes(size, "big")
    return (bytes([size, 9 - 7]) if size == 8 else bytes([{2: 5, 4: 6}[size] << 5 | size])) + plain


def write_countries(file: Path, countries: dict[str, str]) -> None:
    """`countries`: network -> ISO 3166 code. No network lies in another."""
    nodes, data, leaves = [[_NOTHING, _NOTHING]], b"", {}
    for text, country in countries.items():
        network = ipaddress.ip_network(text)
        bits = f"{int(network.network_address):0{network.max_prefixlen}b}"[:network.prefixlen]
        path = [int(bit) for bit in ("0" * 96 if network.version == 4 else "") + bits]
        place = 0
        for bit in path[:-1]:
            if nodes[place][bit] is _NOTHING:
                nodes.append([_NOTHING, _NOTHING])
                nodes[place][bit] = len(nodes) - 1
            place = nodes[place][bit]
        leaves[place, path[-1]] = len(data)
        data += _encode({"country": {"iso_code": country}})
    tree = b""
    for place, node in enumerate(nodes):
        for bit, child in enumerate(node):
            if (place, bit) in leaves:
                child = len(nodes) + 16 + leaves[place, bit]
            tree += (len(nodes) if child is _NOTHING else child).to_bytes(3, "big")
    about = {"binary_format_major_version": (2, 2), "binary_format_minor_version": (2, 0),
             "build_epoch": (8, 1_700_000_000), "database_type": "GeoLite2-Country",
             "description": {"en": "made for a test"}, "ip_version": (2, 6), "languages": ["en"],
             "node_count": (4, len(nodes)), "record_size": (2, 24)}
    file.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _encode(about))
