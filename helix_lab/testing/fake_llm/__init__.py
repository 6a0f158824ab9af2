"""A fake LLM server: OpenAI-compatible, deterministic, counting, and wrong on demand.

Real HTTP and SSE, so that time-outs, half-closed streams and huge answers are real too.
`python -m helix_lab.testing.fake_llm --port 0` prints its address as one line of JSON.
"""

from helix_lab.testing.fake_llm.faults import KINDS, Fault
from helix_lab.testing.fake_llm.server import MODELS, FakeLLM, Received

__all__ = ["KINDS", "MODELS", "FakeLLM", "Fault", "Received"]
