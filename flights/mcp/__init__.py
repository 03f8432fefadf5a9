"""The Model Context Protocol (MCP): programs with language models read the tables at `/mcp`."""
