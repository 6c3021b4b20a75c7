"""The endpoints as tools of the Model Context Protocol, for agents: `python app.py --mcp`."""
