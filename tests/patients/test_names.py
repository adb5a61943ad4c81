"""What a record is called."""

import pytest

from patients.models import InfusionInterval
from safety.models import AdverseEvent, EventGrade
from trial.records import record_models
from trial.wording import word_record


@pytest.mark.parametrize("model", record_models(), ids=lambda model: model.form.code)
def test_a_record_without_answers_is_never_called_none(model):
    name = word_record(model())

    assert name.strip(" ,:") == name != ""
    assert "None" not in name


def test_a_name_has_the_answers_that_there_are():
    assert str(AdverseEvent(term="Headache")) == "Headache"
    assert str(AdverseEvent(term="Headache", grade=0)) == "Headache, grade 0"
    assert str(EventGrade(began="2013-03-04")) == "Grade from 2013-03-04"
    assert str(InfusionInterval(number=2)) == "Infusion 2"
    assert str(InfusionInterval(number=2, dose_ug_per_day=28)) == "Infusion 2: 28 µg/day"
