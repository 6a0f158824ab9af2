"""OTLP: spans of programs that are instrumented by OpenTelemetry, read as drafts of events.

`wire` reads the bytes of a request, `span` is what comes out of it. `conventions` is the one
place that knows the names of attributes; `messages` reads what was said to a model and by it.
`drafting` makes events of all that ([why](docs/decisions/0028-otlp.md)).
"""
