"""The console: Django's admin in the browser, over the operations of ``projects.control``."""
