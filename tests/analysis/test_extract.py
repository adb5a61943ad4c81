"""The door from records to frames: whose records, of which instant, in which types, with how many queries."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.catalogue import NotInCatalogue
from analysis.extract import EVERYTHING, Extract, extract, instant_text
from patients.models import Death, HaematologyResult, LaterTherapy, Transplant
from tests import make
from trial.audit import Recording, recording
from trial.models import Membership, Patient, Person, Role, Site, Study
from trial.records import record_models


@pytest.fixture
def somebody(db: None) -> User:
    return User.objects.create_user("somebody")


def somebody_of(site: Site, role: Role = Role.COORDINATOR) -> User:
    user = User.objects.create_user(f"{role}-of-{site.number}")
    with recording(by=user, reason="A new person."):
        person = Person(user=user, name="Somebody", organisation="A hospital")
        person.save()
        Membership(person=person, study=site.study, site=site, role=role, starts_on=date(2011, 1, 1)).save()
    return user


def same(one: Extract, other: Extract) -> bool:
    return all(one.frames[code].equals(other.frames[code]) for code in one.frames)


def test_there_is_a_frame_for_each_form_with_its_columns(demo: Study):
    frames = extract(EVERYTHING, demo).frames

    assert set(frames) == {model.form.code for model in record_models()} | {"SUBJ"}
    assert list(frames["HSCT"]) == ["patient", "record", *(field.attname for field in Transplant.answers())]
    assert list(frames["LBH.RESULT"]) == ["patient", "record", "sample_id", "test", "value", "value_text"]
    assert list(frames["SUBJ"]) == ["patient", "site", "country", "region"]


def test_columns_have_the_types_that_derivations_expect(demo: Study):
    frames = extract(EVERYTHING, demo).frames

    assert frames["ENR"]["consented_on"].dtype == "datetime64[ns]"
    assert frames["EX"]["started_at"].dtype == "datetime64[ns]"
    assert frames["EX"]["dose_ug_per_day"].dtype == "float64"
    assert frames["MRD"]["marrow_id"].dtype == "float64"
    assert set(map(type, frames["ENR"]["is_enrolled"])) == {bool}
    assert set(map(type, frames["DM"]["races"])) == {list}
    assert set(map(type, frames["DM"]["born_on"])) == {str}


def test_a_moment_is_in_utc(demo: Study):
    frame = extract(EVERYTHING, demo).frames["EX"]
    model = next(model for model in record_models() if model.form.code == "EX")
    first = frame.iloc[0]

    assert first["started_at"].tz_localize(UTC) == model.objects.get(pk=first["record"]).started_at


def test_rows_are_sorted_by_patient_and_record(demo: Study):
    for frame in extract(EVERYTHING, demo).frames.values():
        keys = ["patient", "record"] if "record" in frame else ["patient"]
        assert frame[keys].equals(frame[keys].sort_values(keys, ignore_index=True))


def test_only_the_results_that_outputs_ask_for_are_read(demo: Study):
    read = set(extract(EVERYTHING, demo).frames["LBH.RESULT"]["test"])

    assert read < set(HaematologyResult.objects.values_list("test", flat=True).distinct())


def test_a_coordinator_gets_the_records_of_the_own_site_alone(demo: Study):
    patient = Patient.objects.filter(study=demo).first()
    assert patient is not None

    found = extract(somebody_of(patient.site), demo)

    here = set(Patient.objects.filter(site=patient.site).values_list("number", flat=True))
    assert set(found.frames["SUBJ"]["patient"]) == here
    assert all(set(frame["patient"]) <= here for frame in found.frames.values())
    assert found.scope == f"site {patient.site.number} only"


def test_who_has_no_role_gets_nothing(demo: Study, somebody: User):
    found = extract(somebody, demo)

    assert all(frame.empty for frame in found.frames.values())
    assert found.scope == "no site"


def test_some_patients_can_be_asked_for(demo: Study):
    some = list(Patient.objects.values_list("number", flat=True)[:3])

    found = extract(EVERYTHING, demo, patients=some)

    assert set(found.frames["SUBJ"]["patient"]) == set(some)
    assert set(found.frames["LBH"]["patient"]) <= set(some)


def test_patients_of_another_study_are_not_read(demo: Study, somebody: User):
    with recording(by=somebody, reason="Another study."):
        other = Study(code="OTHER-1", title="Another study")
        other.save()

    assert extract(EVERYTHING, other).frames["SUBJ"].empty


def test_the_records_as_of_now_are_those_of_the_live_tables(demo: Study):
    live = extract(EVERYTHING, demo)

    assert same(extract(EVERYTHING, demo, as_of=live.as_of), live)


def test_an_earlier_instant_has_the_records_as_they_were(demo: Study, somebody: User):
    before = extract(EVERYTHING, demo)
    death = Death.objects.order_by("pk").first()
    assert death is not None
    old = death.died_on
    death.died_on = "2012-02-02" if old != "2012-02-02" else "2012-02-03"
    with recording(by=somebody, reason="Transcription error."):
        death.save()

    after, then = extract(EVERYTHING, demo), extract(EVERYTHING, demo, as_of=before.as_of)

    def died_on(read: Extract) -> str:
        frame = read.frames["DTH"]
        return frame.loc[frame["record"] == death.pk, "died_on"].item()

    assert (died_on(then), died_on(after)) == (old, death.died_on)
    assert same(then, before)


def test_a_record_that_was_deleted_is_there_before_and_not_after(demo: Study, somebody: User):
    before = extract(EVERYTHING, demo)
    therapy = LaterTherapy.objects.first()
    assert therapy is not None
    key = therapy.pk
    with recording(by=somebody, reason="Entered for the wrong patient."):
        therapy.delete()

    after, then = extract(EVERYTHING, demo), extract(EVERYTHING, demo, as_of=before.as_of)

    assert key not in after.frames["NTX"]["record"].tolist()
    assert key in then.frames["NTX"]["record"].tolist()


def test_a_changed_parameter_does_not_change_an_old_extract(demo: Study, somebody: User):
    before = extract(EVERYTHING, demo)
    demo = Study.objects.get(pk=demo.pk)
    demo.response_grace_days = 3
    with recording(by=somebody, reason="Amendment 2."):
        demo.save()

    assert extract(EVERYTHING, demo).parameters.response_grace_days == 3
    assert extract(EVERYTHING, demo, as_of=before.as_of).parameters.response_grace_days == 14


@pytest.mark.parametrize(
    ("as_of", "asked", "cutoff"),
    [
        (None, None, date(2016, 12, 31)),  # the study's
        (None, date(2014, 9, 30), date(2014, 9, 30)),
        (None, date(2100, 1, 1), None),  # not after the day of the instant
        (datetime(2013, 6, 1, 12, tzinfo=UTC), date(2014, 9, 30), date(2013, 6, 1)),
    ],
)
def test_the_cutoff_is_never_after_the_instant(demo: Study, as_of: datetime, asked: date, cutoff: date | None):
    found = extract(EVERYTHING, demo, as_of=as_of, cutoff=asked)

    assert found.cutoff == (cutoff or found.as_of.date())


def test_an_instant_that_is_not_over_is_refused(demo: Study):
    with pytest.raises(NotInCatalogue, match=r"is not over yet\. Give one up to 20") as refused:
        extract(EVERYTHING, demo, as_of=datetime.now(UTC) + timedelta(days=1))

    assert refused.value.status == 400


def test_an_instant_before_the_study_says_when_it_began(demo: Study):
    with pytest.raises(NotInCatalogue, match=r"was not recorded yet\. Give one from 20.* on"):
        extract(EVERYTHING, demo, as_of=datetime(2000, 1, 1, tzinfo=UTC))


def test_the_instant_at_which_a_study_began_is_its_own(demo: Study):
    make.study("OTHER-1")
    other = Study.objects.get(code="OTHER-1")
    began = Recording.objects.filter(reason="A study for a test.").latest("at").at

    with pytest.raises(NotInCatalogue, match=f"Give one from {instant_text(began)} on"):
        extract(EVERYTHING, other, as_of=datetime(2000, 1, 1, tzinfo=UTC))


def test_the_number_of_queries_does_not_grow_with_the_patients(demo: Study):
    def queries(count: int) -> int:
        some = list(Patient.objects.values_list("number", flat=True)[:count])
        with CaptureQueriesContext(connection) as captured:
            found = extract(EVERYTHING, demo, patients=some)
        assert len(found.frames["SUBJ"]) == count
        return len(captured)

    assert queries(2) == queries(12)


def test_a_blank_is_not_a_number_not_a_time_and_none(demo: Study):
    frames = extract(EVERYTHING, demo).frames

    assert pd.isna(frames["SFU"]["last_assessed_on"]).any()
    assert None in frames["SFU"]["last_assessed_on"].tolist()
    assert frames["BM"]["cellularity_percent"].dtype == "float64"
