"""What schemathesis is told before it runs (SCHEMATHESIS_HOOKS): how a body of our media types is sent."""

from __future__ import annotations

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schemathesis.serializer.alias("application/jsonl", "text/plain")
