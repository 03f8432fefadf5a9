"""The calls of the Thrift protocol (TCLIService): sessions, statements, results, metadata."""

import re
import threading
import uuid
from typing import Any

import duckdb
import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes as t

from .faults import Faults
from .metadata import Metadata
from .results import Files, Result
from .statements import Answer, Scope, Statements
from .tables import SqlError
from .volumes import Staging

WAITS = 5.0  # seconds for a statement's results in the answer of its start, as Databricks does
STATE, STATUS = t.TOperationState, t.TStatusCode


class Lost(Exception):
    """A session or a statement that is not there."""


class Session:
    def __init__(self, scope: Scope) -> None:
        self.scope, self.guid = scope, uuid.uuid4().bytes
        self.operations: dict[bytes, Operation] = {}


class Operation:
    """A statement that runs, or has run."""

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
        said = str(self.error) if self.error else None
        return t.TGetOperationStatusResp(
            status=ok(),
            operationState=self.state,
            sqlState=self.error.state if self.error else None,
            errorMessage=said,
            displayMessage=said,
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
        except Exception as error:  # noqa: BLE001  # a client must hear of it
            self.error = SqlError("INTERNAL_ERROR", f"{type(error).__name__}: {error}", "XX000")
            self.state = STATE.ERROR_STATE
        finally:
            self.done.set()


class Service:
    """One for all requests. Each method is a call: a request gives a response."""

    def __init__(
        self, statements: Statements, files: Files, faults: Faults, url: str, **options: Any
    ) -> None:
        self.statements, self.files, self.faults, self.url = statements, files, faults, url
        self.links: bool = options["links"]
        self.default: Scope = options["scope"]
        self.metadata = Metadata(statements.tables)
        self.sessions: dict[bytes, Session] = {}
        self.ran: list[str] = []  # every statement

    def lose_sessions(self) -> None:
        self.sessions.clear()

    def OpenSession(self, request: Any) -> t.TOpenSessionResp:
        asked = request.initialNamespace or t.TNamespace()
        default = self.default
        scope = Scope(asked.catalogName or default.catalog, asked.schemaName or default.schema)
        session = Session(scope)
        self.sessions[session.guid] = session
        version = t.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V8
        handle = t.THandleIdentifier(guid=session.guid, secret=session.guid)
        return t.TOpenSessionResp(
            status=ok(),
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
        return t.TCloseSessionResp(status=ok())

    def ExecuteStatement(self, request: Any) -> Any:
        session, sql = self._session(request), request.statement
        self.ran.append(sql)
        parameters = [
            (p.name, p.type, p.value.stringValue if p.value else None)
            for p in request.parameters or []
        ]
        scope = Scope(session.scope.catalog, session.scope.schema, parameters)
        fault = self.faults.due("results", sql)

        def work(cursor: duckdb.DuckDBPyConnection) -> tuple[Result, bool]:
            if fault and fault.do == "slow":
                threading.Event().wait(fault.seconds)
            answer = self.statements.run(sql, scope, cursor)
            result = self._result(answer, request)
            if fault and fault.do == "expired-link":
                result.link_seconds = -5.0
            elif fault and fault.do != "slow":
                result.break_rows(fault.do)
            return result, isinstance(answer, Staging)

        return self._started(t.TExecuteStatementResp, session, work, request)

    def GetCatalogs(self, request: Any) -> Any:
        return self._listed(t.TGetCatalogsResp, self.metadata.catalogs, request)

    def GetSchemas(self, request: Any) -> Any:
        return self._listed(t.TGetSchemasResp, self.metadata.schemas, request)

    def GetTables(self, request: Any) -> Any:
        return self._listed(t.TGetTablesResp, self.metadata.tables, request)

    def GetColumns(self, request: Any) -> Any:
        return self._listed(t.TGetColumnsResp, self.metadata.columns, request)

    def GetOperationStatus(self, request: Any) -> t.TGetOperationStatusResp:
        operation = self._operation(request)
        operation.done.wait(1)  # the connector asks again without a pause
        return operation.status()

    def GetResultSetMetadata(self, request: Any) -> t.TGetResultSetMetadataResp:
        operation = self._operation(request)
        assert operation.result
        return operation.result.metadata(staging=operation.staging)

    def FetchResults(self, request: Any) -> t.TFetchResultsResp:
        return _fetched(self._operation(request), request.maxRows, request.maxBytes)

    def CancelOperation(self, request: Any) -> t.TCancelOperationResp:
        self._operation(request).cancel()
        return t.TCancelOperationResp(status=ok())

    def CloseOperation(self, request: Any) -> t.TCloseOperationResp:
        operation = self._operation(request)
        operation.close()
        for session in self.sessions.values():
            session.operations.pop(operation.guid, None)
        return t.TCloseOperationResp(status=ok())

    def _session(self, request: Any) -> Session:
        session = self.sessions.get(request.sessionHandle.sessionId.guid)
        if session is None:
            raise Lost("Invalid SessionHandle: the session is closed.")
        return session

    def _operation(self, request: Any) -> Operation:
        guid = request.operationHandle.operationId.guid
        for session in list(self.sessions.values()):
            if guid in session.operations:
                return session.operations[guid]
        raise Lost("Invalid OperationHandle: its session is closed.")

    def _result(self, answer: Answer, request: Any) -> Result:
        if isinstance(answer, Staging):
            link = f"{self.url}/uploads/{answer.ticket}?X-Amz-Signature=signed-upload"
            answer = answer.table(link)
        return Result(
            answer if isinstance(answer, pa.RecordBatchReader) else answer.to_reader(),
            files=self.files,
            url=self.url,
            links=self.links and bool(getattr(request, "canDownloadResult", False)),
            lz4=bool(getattr(request, "canDecompressLZ4Result", False)),
        )

    def _listed(self, kind: Any, lister: Any, request: Any) -> Any:
        def work(cursor: duckdb.DuckDBPyConnection) -> tuple[Result, bool]:
            return self._result(lister(request), request), False

        return self._started(kind, self._session(request), work, request)

    def _started(self, kind: Any, session: Session, work: Any, request: Any) -> Any:
        operation = Operation(self.statements.tables.database, work)
        session.operations[operation.guid] = operation
        identifier = t.THandleIdentifier(guid=operation.guid, secret=operation.guid)
        handle = t.TOperationHandle(
            operationId=identifier,
            operationType=t.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        answer = kind(status=ok(), operationHandle=handle)
        operation.done.wait(WAITS)
        direct = answer.directResults = t.TSparkDirectResults(operationStatus=operation.status())
        if operation.state == STATE.FINISHED_STATE and operation.result:
            limits = request.getDirectResults
            direct.resultSet = _fetched(operation, limits.maxRows, limits.maxBytes)
            direct.resultSetMetadata = direct.resultSet.resultSetMetadata
            if not direct.resultSet.hasMoreRows and not operation.result.links:
                direct.closeOperation = t.TCloseOperationResp(status=ok())
        return answer


def ok() -> t.TStatus:
    return t.TStatus(statusCode=STATUS.SUCCESS_STATUS)


def failed(kind: Any, error: Exception) -> Any:
    """The answer to a call that cannot be done."""
    return kind(
        status=t.TStatus(
            statusCode=STATUS.INVALID_HANDLE_STATUS, errorMessage=str(error), sqlState="HY000"
        )
    )


def call_name(message: bytes) -> str:
    """The name of the call that a message of TBinaryProtocol asks for."""
    size = int.from_bytes(message[4:8], "big")
    return re.sub(r"\W", "", message[8 : 8 + size].decode("ascii", "replace"))


def _fetched(operation: Operation, rows: int, size: int) -> t.TFetchResultsResp:
    assert operation.result
    rowset, more = operation.result.next(rows, size)
    return t.TFetchResultsResp(
        status=ok(),
        hasMoreRows=more,
        results=rowset,
        resultSetMetadata=operation.result.metadata(staging=operation.staging),
    )
