"""An audit: looks at the pictures, asks the refiner, runs all checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.audit.answers import FeaturesOf, ask
from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.audit.looking import look_at
from core.audit.registry import CHECKS
from core.progress import Job, Progress
from core.records import Dataset
from core.refiner.protocol import Refiner
from core.translation import tr


@dataclass(frozen=True)
class Audit:
    """The findings, the worst first; `answered` is the number of boxes that the refiner was asked about."""

    dataset: Dataset
    findings: tuple[AuditFinding, ...]
    answered: int = 0

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many findings of each kind there are, in the order of the kinds; kinds without one are left out."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in Kind if found[kind]}


def audit(
    dataset: Dataset,
    *,
    pictures: bool = True,
    features_of: FeaturesOf | None = None,
    refiner: Refiner | None = None,
) -> Job[Audit]:
    """Look through the labels of a dataset; suggestions do not count.

    Without `pictures`, their files are not opened. Without a refiner, or for pictures of which `features_of` has none,
    the kinds that go by its answers find nothing. Raises GpuError.
    """
    context = AuditContext(dataset.labels())
    if pictures:
        context = replace(context, looks=(yield from look_at(context.dataset)))
    if features_of is not None and refiner is not None:
        answers = yield from ask(context, features_of=features_of, refiner=refiner)
        context = replace(
            context,
            answers=answers.by_box,
            turned=answers.turned,
            likenesses=answers.likenesses,
            appearances=answers.appearances,
        )
    findings: list[AuditFinding] = []
    for done, check in enumerate(CHECKS):
        yield Progress(done, len(CHECKS), tr("Looking through the labels"))
        findings += check(context)
    findings.sort(key=lambda finding: (-finding.severity, finding.picture, finding.correction_id))
    return Audit(context.dataset, tuple(findings), len(context.answers))
