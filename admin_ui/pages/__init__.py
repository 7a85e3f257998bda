"""The console's pages: each reads the form, calls one operation of ``projects.control`` and shows the answer."""
