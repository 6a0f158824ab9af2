"""Any server that speaks OpenAI's chat completions, such as DeepSeek, Ollama, vLLM, OpenRouter."""

from helix_lab.adapters.chat_openai_compatible.provider import OpenAICompatibleProvider

__all__ = ["OpenAICompatibleProvider"]
