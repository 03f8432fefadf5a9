"""Traces by OpenTelemetry. Imported only if OTEL_EXPORTER_OTLP_ENDPOINT is set.

The SDK reads its own variables, such as OTEL_TRACES_SAMPLER. Its spans are sent by a thread, which
the SDK restarts in forked processes.
"""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers

from flights.tracing import Attributes

_propagator = TraceContextTextMapPropagator()


class OpenTelemetry:
    """The tracer of a process (flights.tracing.Tracer)."""

    def __init__(self, version: str, headers: str) -> None:
        """`headers` are those of OTEL_EXPORTER_OTLP_HEADERS, such as `name=value,other=value`."""
        name = os.environ.get("OTEL_SERVICE_NAME", "airsense")
        resource = Resource.create({SERVICE_NAME: name, SERVICE_VERSION: version})
        provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(headers=parse_env_headers(headers, liberal=True) or None)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = provider.get_tracer("airsense")

    def span(
        self, name: str, kind: str, parent: str, attributes: Attributes
    ) -> AbstractContextManager[Any]:
        context = _propagator.extract({"traceparent": parent}) if parent else None
        return self._tracer.start_as_current_span(
            name, context, trace.SpanKind[kind.upper()], attributes
        )

    @contextmanager
    def leaf(self, name: str, attributes: Attributes) -> Iterator[Any]:
        span = self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes)
        try:
            yield span
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()

    def ended(self, name: str, seconds: float, attributes: Attributes) -> None:
        now = time.time_ns()
        start = now - int(seconds * 1e9)
        self._tracer.start_span(name, attributes=attributes, start_time=start).end(now)

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get("traceparent", "")

    def trace_id(self) -> str:
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else ""
