"""The oracle: one table of requests, sent to a real PocketBase and to us, every difference explained.

``scenarios/`` is the table, ``play.py`` sends it, ``normalise.py`` and ``compare.py`` lay two answers side
by side, ``differences.py`` lists the differences that are meant. ``python -m tests.oracle.record out.json``
writes down what PocketBase alone answers.
"""
