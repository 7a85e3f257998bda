"""The process: settings, entry points, wiring."""
