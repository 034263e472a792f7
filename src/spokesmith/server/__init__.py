"""The server: OpenAI's interface, and llama-server's, over any backend."""
