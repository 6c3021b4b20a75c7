"""What the endpoints take and return, field by field, by tab: the API's page and MCP clients read it from here."""
