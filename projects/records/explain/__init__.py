"""Why a rule lets somebody through or not: its tree, its SQL, what it reads, and what each part of it comes to."""

from __future__ import annotations

from projects.records.explain.explain import explain_rule

__all__ = ["explain_rule"]
