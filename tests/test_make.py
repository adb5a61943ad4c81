"""Every form can be made for a test; a new form joins by existing."""

import pytest

from tests import make
from trial.models import Patient
from trial.records import PatientRecord, record_models


@pytest.mark.parametrize("model", record_models(), ids=lambda model: model.form.code)
def test_a_usual_record_of_every_form_is_valid_and_can_be_made_twice(
    model: type[PatientRecord], patient: Patient
) -> None:
    first = make.record(model, patient)
    first.full_clean(validate_unique=False)

    if model.form.repeats:
        unique = {
            "Criterion": {"criterion": "IN02"},
            "Transplant": {"transplanted_on": "2011-01"},
            "Withdrawal": {"extent": "ALL"},
        }
        second = make.record(
            model,
            patient,
            **unique.get(model.__name__, {"sampled_on": "2013-05-02"} if model.__name__ == "Marrow" else {}),
        )
        assert second.pk != first.pk


def test_patients_of_a_site_are_numbered_in_order(db: None) -> None:
    site = make.site(make.study())

    assert [make.patient(site).number for _ in range(2)] == ["SYN-012-001", "SYN-012-002"]
