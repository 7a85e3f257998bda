"""The control API (``/api/v1/``): the operations of ``projects.control`` over HTTP, for people and scripts."""
