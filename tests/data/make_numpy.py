#!/usr/bin/env python3
"""Makes the .npy and .npz files beside this script with NumPy (1.26 and 2.4 give the same ones), for tests/test_npy.c, which knows their values."""
import os
import struct
import zipfile

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(here, name)


def save(name, array, version=None):
    with open(path(name + ".npy"), "wb") as file:
        np.lib.format.write_array(file, array, version)


grid = np.arange(24).reshape(2, 3, 4)
odd = np.array([0x7FC12345, 0x80000000, 1, 0xFF800000], dtype="<u4").view("<f4")
whole = np.array([[-128, 0, 127], [1, 2, 3]])

save("f4", odd)
save("f8", grid.astype("<f8") / 7)
save("f8_fortran", np.asfortranarray(grid.astype("<f8") / 7))
save("i8_scalar", np.array(-(2**63), dtype="<i8"))
save("f4_empty", np.zeros((0, 3), dtype="<f4"))
save("i4_fortran", np.asfortranarray(whole.astype("<i4")))
save("i2", whole.astype("<i2"))
save("i1", whole.astype("i1"))
save("u1", np.array([0, 255], dtype="u1"))
save("u2", np.array([0, 65535], dtype="<u2"))
save("u4", np.array([0, 2**32 - 1], dtype="<u4"))
save("bool", np.array([True, False]))
save("version2", grid.astype("<f8") / 7, (2, 0))
save("version3", grid.astype("<f8") / 7, (3, 0))
save("big_endian", np.array([1.0], dtype=">f8"))
save("half", np.array([1.0], dtype="<f2"))
save("structured", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i8")]))

# NumPy stamps the present time into archives; a fixed one keeps these files the same.
arrays = {"x": grid.astype("<f8") / 7, "y": odd, "zeros": np.zeros((20, 10), dtype="<f4")}
for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile(path(name + ".npz"), "w") as archive:
        for key, array in arrays.items():
            member = zipfile.ZipInfo(key + ".npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = method
            with archive.open(member, "w", force_zip64=True) as file:  # as numpy.savez does
                np.lib.format.write_array(file, array)


def zip64(data):
    """The same archive with all numbers of its directory in 64-bit fields, as one above 4 GiB has them."""
    end = data.rindex(b"PK\5\6")
    entries, _, offset = struct.unpack("<HII", data[end + 10 : end + 20])
    records, at = b"", offset
    for _ in range(entries):
        packed, size, name, extra, comment = struct.unpack("<IIHHH", data[at + 20 : at + 34])
        local = struct.unpack("<I", data[at + 42 : at + 46])[0]
        wide = struct.pack("<HHQQQ", 1, 24, size, packed, local)
        records += data[at : at + 20] + b"\xff" * 8 + struct.pack("<HHH", name, len(wide), 0)
        records += data[at + 34 : at + 42] + b"\xff" * 4 + data[at + 46 : at + 46 + name] + wide
        at += 46 + name + extra + comment
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, len(records), offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, offset + len(records), 1)
    return data[:offset] + records + end64 + locator + b"PK\5\6" + b"\0" * 4 + b"\xff" * 12 + b"\0\0"


with open(path("deflated.npz"), "rb") as file:
    wide = zip64(file.read())
with open(path("zip64.npz"), "wb") as file:
    file.write(wide)
with np.load(path("zip64.npz")) as archive:
    assert all(np.array_equal(archive[key], array, equal_nan=True) for key, array in arrays.items())
