"""What it takes to reach a bucket. Apart from ``s3``, which loads boto3."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Account:
    """Where a bucket is and how to reach it. ``endpoint`` is empty for Amazon's own.

    ``prefix`` comes before the project's uid in every object's name. ``path_style``: the bucket's name
    stands in the path, not in the host name.
    """

    bucket: str
    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = ""
    prefix: str = ""
    path_style: bool = False

    def __repr__(self) -> str:
        return f"S3Account(bucket={self.bucket!r}, endpoint={self.endpoint!r}, prefix={self.prefix!r})"
