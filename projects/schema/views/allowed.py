"""What a view's query may be made of. What is not here is refused: each line was looked at on both engines."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

# Functions that the parser knows by name only.
FUNCTIONS: Final = frozenset({"total", "date", "datetime", "strftime", "json_array_length"})

# What CAST may make, by the kind of field that it gives.
CASTS: Final = {
    **dict.fromkeys(("TEXT", "VARCHAR", "CHAR", "NVARCHAR"), "text"),
    **dict.fromkeys(("INT", "BIGINT", "SMALLINT", "TINYINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "number"),
    "BOOLEAN": "bool",
}

NODES: Final = frozenset(
    {
        # queries
        exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit,
        exp.Offset, exp.Distinct, exp.With, exp.CTE, exp.Subquery, exp.Union, exp.Intersect, exp.Except,
        # names and values
        exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean,
        exp.Star, exp.Paren, exp.Tuple,
        # conditions
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In,
        exp.Between, exp.Like, exp.Escape, exp.Exists, exp.Case, exp.If,
        # arithmetic and text
        exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Cast, exp.DataType,
        # aggregates and windows
        exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.GroupConcat, exp.Filter, exp.Window, exp.WindowSpec,
        exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
        # functions
        exp.Coalesce, exp.Nullif, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring, exp.Replace,
        exp.StrPosition, exp.Abs, exp.Round, exp.Greatest, exp.Least, exp.TimeToStr, exp.TsOrDsToTimestamp,
        exp.Date, exp.JSONExtract, exp.JSONExtractScalar, exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey,
        exp.JSONPathSubscript,
    }
)  # fmt: skip
