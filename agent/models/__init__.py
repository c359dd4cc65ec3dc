"""Language models behind one protocol: local ones through Ollama, any other through LangChain, or none at all."""
