"""The limit: what one Python process can answer when nothing is general.

A hand-written Starlette application with one collection's fields, rule and SQL in its source: token check, the
user's row, the rule as SQL, the change log on create; orjson, granian, lanes. What ours adds to that is the price
of being a platform.
"""
