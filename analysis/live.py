"""Finished reports, kept while nothing was recorded since: pages of the same report share one computation and stay live."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from django.db.models import Count, Max
from django.utils import timezone

from analysis.report import Report, report
from trial.access import Viewer, memberships_of, sees_all_patients
from trial.audit import Recording
from trial.models import Study

MOST_KEPT = 12  # a report of 189 patients is a few megabytes


@dataclass
class Kept:
    """One report, and the lock that lets one request compute it while the others of the same page wait."""

    lock: Lock = field(default_factory=Lock)
    report: Report | None = None


_kept: OrderedDict[tuple[object, ...], Kept] = OrderedDict()
_door = Lock()


def live_report(viewer: Viewer, study: Study, *, cohort: str, as_of: str = "", cutoff: str = "") -> Report:
    """All outputs of a study for what this viewer may see. Raises `NotInCatalogue` as `report` does.

    The key holds the number and the count of recordings: a late commit of an early number changes the count. It holds
    the day, because the cut-off of a live report is never after today.
    """
    trail = Recording.objects.aggregate(last=Max("pk"), acts=Count("pk"))
    key = (
        *_scope(viewer, study),
        (study.pk, cohort, as_of, cutoff),
        (trail["last"], trail["acts"], timezone.now().date()),
    )
    with _door:
        kept = _kept.setdefault(key, Kept())
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    with kept.lock:
        if kept.report is None:
            kept.report = report(viewer, study=study.code, cohort=cohort, as_of=as_of or None, cutoff=cutoff or None)
        return kept.report


def _scope(viewer: Viewer, study: Study) -> tuple[object, ...]:
    """Whose patients the viewer sees: the same scope may share a report, another may not."""
    if sees_all_patients(viewer, study):
        return ("all sites",)
    memberships = memberships_of(viewer).filter(study=study, site__isnull=False)
    return tuple(sorted(set(memberships.values_list("site", "role"))))
