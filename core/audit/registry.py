"""The table of all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.audit.checks.categories import check_outliers, check_unused
from core.audit.checks.contents import check_contents
from core.audit.checks.copies import check_copies
from core.audit.checks.lookalikes import check_lookalikes
from core.audit.checks.loose import check_loose
from core.audit.checks.overlaps import check_duplicates, check_two_classes
from core.audit.checks.shifted import check_shifted
from core.audit.checks.sizes import check_huge, check_outside, check_tiny
from core.audit.checks.turned import check_readable, check_sizes, check_turned
from core.audit.context import AuditContext
from core.audit.finding import AuditFinding

Check = Callable[[AuditContext], Iterator[AuditFinding]]

CHECKS: tuple[Check, ...] = (
    check_turned,
    check_sizes,
    check_readable,
    check_shifted,
    check_outside,
    check_duplicates,
    check_copies,
    check_two_classes,
    check_contents,
    check_loose,
    check_tiny,
    check_huge,
    check_outliers,
    check_lookalikes,
    check_unused,
)
"""Each finds what it finds from the labels alone where the context has no looks or no answers."""
