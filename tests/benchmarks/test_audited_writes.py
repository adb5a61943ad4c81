"""An audited write beside an unaudited one of the same columns, in one run, on the engine of the run."""

from statistics import median
from time import perf_counter

import pytest
from django.contrib.auth.models import User
from django.db import connection, models, transaction

from tests.audit_app.models import Weighing
from trial.audit import recording

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

SINGLE, BULK, RUNS = 200, 5_000, 5


class PlainWeighing(models.Model):
    """The columns of a weighing without a trail."""

    ward_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=30, unique=True)
    kilograms = models.IntegerField()
    unit = models.CharField(max_length=5, default="kg")
    details = models.JSONField(default=dict)
    note = models.TextField(null=True)
    changed_on = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        app_label = "benchmarks"  # no installed app: nothing makes a migration for it

    def __str__(self):
        return self.label


@pytest.fixture
def plain_table(transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(PlainWeighing)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(PlainWeighing)


def milliseconds_each(work, rows):
    """The median over the runs of the milliseconds a row."""
    times = []
    for run in range(RUNS + 1):
        start = perf_counter()
        work(run)
        times.append(1000 * (perf_counter() - start) / rows)
    return median(times[1:])


def test_the_trail_costs_a_few_times_a_plain_write_at_most(plain_table, capsys):
    user = User.objects.create(username="bench")

    def save_each(model, act):
        def work(run):
            for number in range(SINGLE):
                with act():
                    model(label=f"{run} {number}", kilograms=70).save()

        return work

    def create_many(model, act):
        def work(run):
            with act():
                model.objects.bulk_create(
                    [model(label=f"bulk {run} {number}", kilograms=70) for number in range(BULK)], batch_size=1_000
                )

        return work

    def recorded():
        return recording(by=user, reason="benchmark")

    lines, ratios = [f"{connection.vendor:<12}{'audited ms':>12}{'plain ms':>12}{'ratio':>8}"], []
    for name, work, rows in (("one a time", save_each, SINGLE), ("in bulk", create_many, BULK)):
        audited = milliseconds_each(work(Weighing, recorded), rows)
        plain = milliseconds_each(work(PlainWeighing, transaction.atomic), rows)
        ratios.append(audited / plain)
        lines.append(f"{name:<12}{audited:>12.3f}{plain:>12.3f}{audited / plain:>8.1f}")

    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert Weighing.history.count() == Weighing.objects.count() == (RUNS + 1) * (SINGLE + BULK)
    assert max(ratios) < 30  # generous: the machine may be busy. What was measured is in docs/performance.md
