"""Reports: one value, and pure renderers that turn it into text, JSON, Markdown or HTML."""
