"""A web server that publishes monthly files as the US Department of Transportation does."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = "On_Time_Reporting_Carrier_On_Time_Performance_1987_present"
# The columns of the DOT's files since 2018; each line ends with a comma.
NAMES = """
Year Quarter Month DayofMonth DayOfWeek FlightDate Reporting_Airline DOT_ID_Reporting_Airline
IATA_CODE_Reporting_Airline Tail_Number Flight_Number_Reporting_Airline OriginAirportID
OriginAirportSeqID OriginCityMarketID Origin OriginCityName OriginState OriginStateFips
OriginStateName OriginWac DestAirportID DestAirportSeqID DestCityMarketID Dest DestCityName
DestState DestStateFips DestStateName DestWac CRSDepTime DepTime DepDelay DepDelayMinutes
DepDel15 DepartureDelayGroups DepTimeBlk TaxiOut WheelsOff WheelsOn TaxiIn CRSArrTime ArrTime
ArrDelay ArrDelayMinutes ArrDel15 ArrivalDelayGroups ArrTimeBlk Cancelled CancellationCode
Diverted CRSElapsedTime ActualElapsedTime AirTime Flights Distance DistanceGroup CarrierDelay
WeatherDelay NASDelay SecurityDelay LateAircraftDelay FirstDepTime TotalAddGTime LongestAddGTime
DivAirportLandings DivReachedDest DivActualElapsedTime DivArrDelay DivDistance
"""
COLUMNS = NAMES.split()
COLUMNS += [
    f"Div{number}{name}"
    for number in range(1, 6)
    for name in (
        *("Airport", "AirportID", "AirportSeqID", "WheelsOn"),
        *("TotalGTime", "LongestGTime", "WheelsOff", "TailNum"),
    )
]


def flight(year: int, month: int, day: int = 1, number: int = 1, **values: object) -> str:
    """A line of a monthly file: a flight from Hartford to Baltimore."""
    flight = {
        **{"Year": year, "Month": month, "DayofMonth": day, "Quarter": (month + 2) // 3},
        "FlightDate": f"{year}-{month:02d}-{day:02d}",
        **{"Reporting_Airline": '"WN"', "Flight_Number_Reporting_Airline": f'"{number}"'},
        **{"Tail_Number": '"N123"', "Origin": '"BDL"', "OriginCityName": '"Hartford, CT"'},
        **{"Dest": '"BWI"', "DestCityName": '"Baltimore, MD"'},
        **{"CRSDepTime": '"0600"', "CRSArrTime": '"0710"', "DepDelay": "5.00"},
        **{"ArrDelay": "-3.00", "Cancelled": "0.00", "Diverted": "0.00"},
        **{"CRSElapsedTime": "70.00", "ActualElapsedTime": "62.00", "Distance": "283.00"},
        **values,
    }
    return ",".join(str(flight.get(name, "")) for name in COLUMNS) + ",\n"


HEADER = ",".join(f'"{name}"' for name in COLUMNS) + ",\n"


def csv(year: int, month: int, flights: int = 3) -> str:
    """The text of a monthly file with a number of flights."""
    return HEADER + "".join(flight(year, month, 1 + n % 28, n) for n in range(flights))


def zipped(text: str, method: int = zipfile.ZIP_DEFLATED, **members: str) -> bytes:
    """A zip file with a CSV file, a readme and more members (`a__csv` is a.csv)."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr(f"{FILE.replace('1987_present', '(1987_present)')}.csv", text)
        archive.writestr("readme.html", "<html>Each field ...</html>")
        for name, more in members.items():
            archive.writestr(name.replace("__", "."), more)
    return content.getvalue()


def recent_month() -> tuple[int, int]:
    """A month that the DOT would have published by now: about three months ago."""
    day = date.today() - timedelta(days=90)
    return day.year, day.month


@dataclass
class DotServer:
    """What the server publishes, how it misbehaves, and which requests it got."""

    port: int = 0
    files: dict[tuple[int, int], bytes] = field(default_factory=dict)  # by year and month
    cuts: list[int] = field(default_factory=list)  # bytes after which the next responses break off
    statuses: list[int] = field(default_factory=list)  # errors that are the next responses
    ignores_ranges: bool = False
    has_validators: bool = True
    requests: list[dict[str, str]] = field(default_factory=list)  # headers
    sent: list[int] = field(default_factory=list)  # statuses of the responses
    held: threading.Event = field(default_factory=threading.Event)  # unset: bodies stop half-way

    @property
    def url(self) -> str:
        """The setting DOWNLOAD_URL."""
        return f"http://127.0.0.1:{self.port}/PREZIP/{FILE}_{{year}}_{{month}}.zip"

    def publish(self, year: int, month: int, flights: int = 3) -> bytes:
        """Publish a month, or another release of it."""
        self.files[year, month] = zipped(csv(year, month, flights))
        return self.files[year, month]

    def file(self, path: str) -> bytes | None:
        """The file of a path; months are not padded."""
        match = re.fullmatch(rf"/PREZIP/{FILE}_(\d{{4}})_([1-9]|1[0-2])\.zip", path)
        return self.files.get((int(match[1]), int(match[2]))) if match else None


@contextmanager
def running() -> Iterator[DotServer]:
    """Run the server during the block."""
    dot = DotServer()
    dot.held.set()

    class Handler(_Handler):
        server_state = dot

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    dot.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield dot
    finally:
        dot.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: DotServer

    def do_GET(self) -> None:
        dot = self.server_state
        dot.requests.append(dict(self.headers))
        content = dot.file(self.path)
        if dot.statuses:
            self._respond(dot.statuses.pop(0), b"try later")
        elif content is None:
            self._respond(404, b"<html>404 - File or directory not found.</html>")
        elif dot.has_validators and self.headers["If-None-Match"] == _etag(content):
            self._respond(304, b"")
        elif not content.startswith(b"PK"):
            self._respond(200, content, {"Content-Type": "text/html"})
        else:
            self._send_file(content)

    def _send_file(self, content: bytes) -> None:
        dot, headers = self.server_state, {"Content-Type": "application/x-zip-compressed"}
        if dot.has_validators:
            headers |= {"ETag": _etag(content), "Accept-Ranges": "bytes"}
        match = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        is_same = self.headers["If-Range"] in (None, _etag(content))
        if not match or dot.ignores_ranges or not is_same:
            return self._respond(200, content, headers)
        begin = int(match[1])
        if begin >= len(content):
            return self._respond(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        area = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._respond(206, content[begin:], headers | {"Content-Range": area})

    def _respond(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        dot = self.server_state
        dot.sent.append(status)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status in (200, 206) and dot.cuts:
            self.wfile.write(body[: dot.cuts.pop(0)])
            self.close_connection = True
            return
        if not dot.held.is_set():
            half = len(body) // 2
            self.wfile.write(body[:half])
            dot.held.wait(30)
            body = body[half:]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}:0"'
