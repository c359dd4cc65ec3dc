"""The chat's answers as tools of a model: their table, an MCP server over it, and the plain agent of the comparison."""
