"""Read selected fields of structures in Thrift's compact protocol, which Parquet's footers use.

Protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

import struct
from typing import IO, Any

from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TException, TType
from thrift.transport.TTransport import TFileObjectTransport

MAX_TEXT_BYTES, MAX_ITEMS = 1 << 20, 100_000  # of one text, and of one list
# What reading a malformed structure raises.
MALFORMED = (
    TException,
    EOFError,
    LookupError,
    ValueError,
    AssertionError,
    struct.error,
)

# The fields to read, by their ids: the type of each, and the fields of its structure or items.
type Fields = dict[int, tuple[int, "Fields"]]


class Reader(TCompactProtocol):
    """A reader that returns texts as bytes, because Parquet's statistics are not UTF-8."""

    readString = TCompactProtocol.readBinary


def read(file: IO[bytes], fields: Fields) -> dict[int, Any]:
    """Read the structure at the file's position: its values by field id, nested alike.

    One of `MALFORMED` if the bytes are not such a structure.
    """
    return _structure(Reader(TFileObjectTransport(file), MAX_TEXT_BYTES, MAX_ITEMS), fields)


def _structure(reader: Reader, fields: Fields) -> dict[int, Any]:
    """Return the wanted fields that the structure has, by id; skip the others, as Arrow does."""
    values: dict[int, Any] = {}
    reader.readStructBegin()
    while True:
        _, type_, id_ = reader.readFieldBegin()
        if type_ == TType.STOP:
            reader.readStructEnd()
            return values
        wanted, inner = fields.get(id_, (TType.VOID, {}))
        if type_ == wanted:
            values[id_] = _value(reader, type_, inner)
        else:
            reader.skip(type_)
        reader.readFieldEnd()


def _value(reader: Reader, type_: int, inner: Fields) -> Any:
    if type_ == TType.STRUCT:
        return _structure(reader, inner)
    if type_ != TType.LIST:
        number = reader.readI32 if type_ == TType.I32 else reader.readI64
        return reader.readBinary() if type_ == TType.STRING else number()
    kind, size = reader.readListBegin()
    if kind != (TType.STRUCT if inner else TType.STRING):
        raise ValueError("list of an unexpected type")
    values = [_value(reader, kind, inner) for _ in range(size)]
    reader.readListEnd()
    return values
