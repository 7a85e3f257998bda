"""Tables from elsewhere, CSV or JSON lines, brought into a collection row by row."""
