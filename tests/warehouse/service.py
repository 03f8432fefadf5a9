"""The calls of the Thrift service TCLIService: sessions, statements, results and metadata."""

import re
import threading
import uuid
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

from .faults import Faults
from .metadata import Metadata
from .results import Files, Result
from .statements import Output, Scope, Statements
from .tables import SqlError
from .volumes import Staging

# Seconds to wait for results: those of a quick statement are in ExecuteStatement's response.
DIRECT_RESULTS_SECONDS = 5.0
FAILURES = {
    "timed-out": (
        "QUERY_EXECUTION_TIMEOUT_EXCEEDED",
        "Query execution exceeded the configured timeout of 5 seconds.",
        "HY000",
    ),
    "vacuumed": (
        "FAILED_READ_FILE.DBR_FILE_NOT_EXIST",
        "Error while reading file part-00000.parquet. It was possibly deleted by VACUUM.",
        "KD001",
    ),
}
STATE, STATUS = t.TOperationState, t.TStatusCode


class InvalidHandle(Exception):
    """A request names a session or an operation that does not exist."""


class Session:
    """A client's session: its default schema and its operations, by id."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.guid = scope, uuid.uuid4().bytes
        self.operations: dict[bytes, Operation] = {}


class Operation:
    """A statement that runs in a thread of its own, or has run.

    `work` runs it with a cursor, and returns its result and whether the client must then transfer
    a file itself (staging).
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, work: Any) -> None:
        self.guid = uuid.uuid4().bytes
        self.state: int = STATE.RUNNING_STATE
        self.error: SqlError | None = None
        self.result: Result | None = None
        self.staging = False
        self.cursor = connection.cursor()
        self.done = threading.Event()
        self._work = work
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        if not self.done.is_set():
            self.state = STATE.CANCELED_STATE
            self.cursor.interrupt()

    def close(self) -> None:
        self.cancel()
        if self.result:
            self.result.close()
        self.cursor.close()

    def status(self) -> t.TGetOperationStatusResp:
        message = str(self.error) if self.error else None
        return t.TGetOperationStatusResp(
            status=success(),
            operationState=self.state,
            sqlState=self.error.state if self.error else None,
            errorMessage=message,
            displayMessage=message,
            hasResultSet=True,
        )

    def _run(self) -> None:
        try:
            self.result, self.staging = self._work(self.cursor)
            if self.state == STATE.RUNNING_STATE:
                self.state = STATE.FINISHED_STATE
        except duckdb.InterruptException:
            self.state = STATE.CANCELED_STATE
        except SqlError as error:
            self.error, self.state = error, STATE.ERROR_STATE
        except Exception as error:  # noqa: BLE001  # the client receives any error
            self.error = SqlError("INTERNAL_ERROR", f"{type(error).__name__}: {error}", "XX000")
            self.state = STATE.ERROR_STATE
        finally:
            self.done.set()


class Service:
    """All calls of the protocol: each method takes a call's request and returns its response."""

    def __init__(
        self, statements: Statements, files: Files, faults: Faults, url: str, **options: Any
    ) -> None:
        self.statements, self.files, self.faults, self.url = statements, files, faults, url
        self.links: bool = options["links"]
        self.default: Scope = options["scope"]
        self.metadata = Metadata(statements.tables)
        self.sessions: dict[bytes, Session] = {}
        self.overridden: dict[str, str] = {}  # settings that a session cannot change
        self.arrow_schema = True  # whether a result is described in Arrow, too

    def lose_sessions(self) -> None:
        self.sessions.clear()

    def OpenSession(self, request: Any) -> t.TOpenSessionResp:
        names, default = request.initialNamespace or t.TNamespace(), self.default
        scope = Scope(
            names.catalogName or default.catalog,
            names.schemaName or default.schema,
            settings=(request.configuration or {}) | self.overridden,
        )
        session = Session(scope)
        self.sessions[session.guid] = session
        version = t.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
        handle = t.THandleIdentifier(guid=session.guid, secret=session.guid)
        return t.TOpenSessionResp(
            status=success(),
            serverProtocolVersion=version,
            canUseMultipleCatalogs=True,
            sessionHandle=t.TSessionHandle(sessionId=handle, serverProtocolVersion=version),
            configuration={},
        )

    def CloseSession(self, request: Any) -> t.TCloseSessionResp:
        session = self._session(request)
        del self.sessions[session.guid]
        for operation in session.operations.values():
            operation.close()
        return t.TCloseSessionResp(status=success())

    def ExecuteStatement(self, request: Any) -> Any:
        session, sql = self._session(request), request.statement
        parameters = [
            (p.name, p.type, p.value.stringValue if p.value else None)
            for p in request.parameters or []
        ]
        scope = replace(session.scope, parameters=parameters)
        fault = self.faults.take("results", sql)

        def work(cursor: duckdb.DuckDBPyConnection) -> tuple[Result, bool]:
            if fault and fault.do == "slow":
                threading.Event().wait(fault.seconds)
            output = self.statements.run(sql, scope, cursor)
            result = self._result(output, request)
            if fault and fault.do == "expired-link":
                result.link_seconds = -5.0
            elif fault and fault.do in FAILURES:
                raise SqlError(*FAILURES[fault.do])
            elif fault and fault.do != "slow":
                result.break_rows(fault.do)
            return result, isinstance(output, Staging)

        return self._start(t.TExecuteStatementResp, session, work, request)

    def GetCatalogs(self, request: Any) -> Any:
        return self._list(t.TGetCatalogsResp, self.metadata.catalogs, request)

    def GetSchemas(self, request: Any) -> Any:
        return self._list(t.TGetSchemasResp, self.metadata.schemas, request)

    def GetTables(self, request: Any) -> Any:
        return self._list(t.TGetTablesResp, self.metadata.tables, request)

    def GetColumns(self, request: Any) -> Any:
        return self._list(t.TGetColumnsResp, self.metadata.columns, request)

    def GetOperationStatus(self, request: Any) -> t.TGetOperationStatusResp:
        operation = self._operation(request)
        operation.done.wait(1)  # because the connector polls without a pause
        return operation.status()

    def GetResultSetMetadata(self, request: Any) -> t.TGetResultSetMetadataResp:
        operation = self._operation(request)
        assert operation.result
        return operation.result.metadata(staging=operation.staging)

    def FetchResults(self, request: Any) -> t.TFetchResultsResp:
        return _fetch(self._operation(request), request.maxRows, request.maxBytes)

    def CancelOperation(self, request: Any) -> t.TCancelOperationResp:
        self._operation(request).cancel()
        return t.TCancelOperationResp(status=success())

    def CloseOperation(self, request: Any) -> t.TCloseOperationResp:
        operation = self._operation(request)
        operation.close()
        for session in self.sessions.values():
            session.operations.pop(operation.guid, None)
        return t.TCloseOperationResp(status=success())

    def _session(self, request: Any) -> Session:
        session = self.sessions.get(request.sessionHandle.sessionId.guid)
        if session is None:
            raise InvalidHandle("Invalid SessionHandle: the session is closed.")
        return session

    def _operation(self, request: Any) -> Operation:
        guid = request.operationHandle.operationId.guid
        for session in list(self.sessions.values()):
            if guid in session.operations:
                return session.operations[guid]
        raise InvalidHandle("Invalid OperationHandle: its session is closed.")

    def _result(self, output: Output, request: Any) -> Result:
        """Make the result of a statement's output, in a format that the client supports."""
        if isinstance(output, Staging):
            url = f"{self.url}/uploads/{output.ticket}?X-Amz-Signature=signed-upload"
            output = output.table(url)
        result = Result(
            output if isinstance(output, pa.RecordBatchReader) else output.to_reader(),
            files=self.files,
            url=self.url,
            links=self.links and bool(getattr(request, "canDownloadResult", False)),
            lz4=bool(getattr(request, "canDecompressLZ4Result", False)),
        )
        result.arrow_schema = self.arrow_schema
        return result

    def _list(self, response_class: Any, lister: Any, request: Any) -> Any:
        def work(cursor: duckdb.DuckDBPyConnection) -> tuple[Result, bool]:
            return self._result(lister(request), request), False

        return self._start(response_class, self._session(request), work, request)

    def _start(self, response_class: Any, session: Session, work: Any, request: Any) -> Any:
        """Start an operation, and respond with its handle and, if it is quick, its results."""
        operation = Operation(self.statements.tables.database, work)
        session.operations[operation.guid] = operation
        identifier = t.THandleIdentifier(guid=operation.guid, secret=operation.guid)
        handle = t.TOperationHandle(
            operationId=identifier,
            operationType=t.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        response = response_class(status=success(), operationHandle=handle)
        operation.done.wait(DIRECT_RESULTS_SECONDS)
        direct = t.TSparkDirectResults(operationStatus=operation.status())
        response.directResults = direct
        if operation.state == STATE.FINISHED_STATE and operation.result:
            limits = request.getDirectResults
            direct.resultSet = _fetch(operation, limits.maxRows, limits.maxBytes)
            direct.resultSetMetadata = direct.resultSet.resultSetMetadata
            if not direct.resultSet.hasMoreRows and not operation.result.links:
                direct.closeOperation = t.TCloseOperationResp(status=success())
        return response


def success() -> t.TStatus:
    return t.TStatus(statusCode=STATUS.SUCCESS_STATUS)


def failure(response_class: Any, error: Exception) -> Any:
    """Make the response of a call whose session or operation does not exist."""
    return response_class(
        status=t.TStatus(
            statusCode=STATUS.INVALID_HANDLE_STATUS, errorMessage=str(error), sqlState="HY000"
        )
    )


def call_name(message: bytes) -> str:
    """Read the call's name from a message of Thrift's binary protocol."""
    size = int.from_bytes(message[4:8], "big")
    return re.sub(r"\W", "", message[8 : 8 + size].decode("ascii", "replace"))


def _fetch(operation: Operation, rows: int, size: int) -> t.TFetchResultsResp:
    assert operation.result
    row_set, more = operation.result.next(rows, size)
    return t.TFetchResultsResp(
        status=success(),
        hasMoreRows=more,
        results=row_set,
        resultSetMetadata=operation.result.metadata(staging=operation.staging),
    )
