"""Realtime: who hears of which change, and how it reaches them."""
