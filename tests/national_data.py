"""A file of all US domestic flights of January to April 2008, if this machine has it."""

import pytest

from airsense.data_folder import PROJECT

FILE = PROJECT.parent / "shared/data/bts_2008_jan_apr.parquet"

needed = pytest.mark.skipif(
    not FILE.exists(),
    reason="the national flights of 2008 are not in the folder shared/data beside the project",
)
