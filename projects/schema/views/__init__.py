"""Views: collections whose records are the rows of one SELECT over the project's other collections.

The text (``viewQuery``) is written in SQLite's dialect, as in the wire contract. It is never run: it is parsed, every
node of the tree is on a list of what may stand there, every name is looked up among the project's collections, and
statements are written anew from the tree, for either engine. A view is no object of the database: where its records
are read, its SELECT stands as a subquery, which both engines flatten as they do a view of their own. So changes of
tables meet nothing that depends on them, and there is nothing to keep in step.

    settle.settle_views(schema)            # the schema with every view's fields inferred anew, and what is wrong
    render.view_sql(schema, view, engine)  # what stands in FROM, with one column per field
    check.check_view(session, schema, view)  # asks the database: does it run, are its ids whole and unique

The parser (sqlglot) takes a quarter of a second to load, so it is loaded when the first view is looked at.
"""

from __future__ import annotations
