"""The control plane's operations: plain functions, without HTTP, that the control API, the admin and
the commands call.

Each takes the actor first, decides itself whether the actor may (404 for who is not a member, 403 for a
role too low), changes the ``default`` database in one transaction and writes one audit entry there.
"""
