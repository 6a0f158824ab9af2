"""Knowledge by a model: extraction that asks a chat provider."""
