"""What a question asks for: read by code, read by a model, and joined by a stated rule."""
