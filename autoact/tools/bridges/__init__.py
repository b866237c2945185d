"""What people bring: Python functions, langchain-community classes and MCP servers, each in a child process."""
