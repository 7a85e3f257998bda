"""The backend class that Django loads for ``project:`` aliases on PostgreSQL."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.utils.functional import cached_property

from projects.databases.aliases import split_alias
from projects.databases.postgresql.pools import bind, open_pool, pool_for


class DatabaseWrapper(base.DatabaseWrapper):
    """A project's connection: taken from its placement's pool, bound to its role and schema."""

    @cached_property
    def _project(self) -> tuple[str, str]:
        return split_alias(self.alias)

    @property
    def pool(self) -> Any:
        placement = self._project[0]
        return open_pool(placement) or pool_for(placement, self._pool_params())

    def _pool_params(self) -> dict[str, Any]:
        params = self.get_connection_params()
        params.pop("pool", None)
        # Server-side prepared statements: the pool is ours, no foreign pooler stands between.
        params["prepare_threshold"] = 3
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        pool = self.pool
        connection = pool.getconn()
        try:
            bind(connection, self._project[1])
        except psycopg.Error:
            # It may have served a project whose role is gone since; a fresh one tells whether ours is.
            connection.close()
            pool.putconn(connection)
            connection = pool.getconn()
            try:
                bind(connection, self._project[1])
            except BaseException:
                connection.close()
                pool.putconn(connection)
                raise
        return connection

    def init_connection_state(self) -> None:
        """Nothing to do: role, search_path and time zone were set by bind()."""

    def _configure_connection(self, connection: Any) -> bool:
        return False

    def close_pool(self) -> None:
        """A pool belongs to the placement, not to one project's alias."""
