"""Reads chosen fields of structures that Thrift wrote in its compact form, as Parquet's are."""

import struct
from typing import IO, Any

from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TException, TType
from thrift.transport.TTransport import TFileObjectTransport

TEXT, ITEMS = 1 << 20, 100_000  # most bytes of a text, and most items of a list
MALFORMED = (
    TException,
    EOFError,
    LookupError,
    ValueError,
    AssertionError,
    struct.error,
)

# The fields that are read, by their ids: their type, and the fields of their structure or items.
type Fields = dict[int, tuple[int, "Fields"]]


class Reader(TCompactProtocol):
    """Thrift's reader, whose texts are bytes: statistics are no UTF-8."""

    readString = TCompactProtocol.readBinary


def read(file: IO[bytes], fields: Fields) -> dict[int, Any]:
    """One structure at a file's position; one of `MALFORMED` where there is none."""
    return _structure(Reader(TFileObjectTransport(file), TEXT, ITEMS), fields)


def _structure(reader: Reader, fields: Fields) -> dict[int, Any]:
    """The values of the fields that are there, by their ids; others are skipped, as Arrow does."""
    values: dict[int, Any] = {}
    reader.readStructBegin()
    while True:
        _, type_, name = reader.readFieldBegin()
        if type_ == TType.STOP:
            reader.readStructEnd()
            return values
        wanted, inner = fields.get(name, (TType.VOID, {}))
        if type_ == wanted:
            values[name] = _value(reader, type_, inner)
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
        raise ValueError("a list of other things")
    values = [_value(reader, kind, inner) for _ in range(size)]
    reader.readListEnd()
    return values
