"""Promises about every form: a new model joins by existing."""

import pytest
from django.db import models

from trial.audit import AuditedModel
from trial.fields import Answer
from trial.records import SECTIONS, PatientRecord, record_model, record_models

every_form = pytest.mark.parametrize("model", record_models(), ids=lambda model: model.form.code)


def test_no_two_forms_share_a_code():
    codes = [model.form.code for model in record_models()]

    assert len(codes) == len(set(codes))


def test_forms_stand_in_the_order_of_the_casebook():
    sections = [SECTIONS.index(model.form.section) for model in record_models()]

    assert sections == sorted(sections)


@every_form
def test_every_form_is_audited(model):
    assert issubclass(model, AuditedModel)
    assert model.history.model.__name__ == f"Historical{model.__name__}"


@every_form
def test_every_answer_has_a_label_and_a_name_for_the_outside(model):
    assert model.answers()
    for answer in model.answers():
        assert answer.oid, answer
        assert str(answer.verbose_name) != answer.name.replace("_", " "), answer


@every_form
def test_no_two_answers_of_a_form_share_a_name(model):
    names = [answer.oid for answer in model.answers()]

    assert len(names) == len(set(names))


@every_form
def test_every_column_is_an_answer_or_says_where_the_record_belongs(model):
    bookkeeping = {"id", "version", "missing", "patient", "entry"}
    others = [field for field in model._meta.concrete_fields if not isinstance(field, Answer)]

    assert all(isinstance(field, models.ForeignKey) or field.name in bookkeeping for field in others)


@every_form
def test_a_blank_answer_is_null(model):
    assert all(answer.null for answer in model.answers())


@every_form
def test_a_row_of_a_block_belongs_to_a_form_with_a_page(model):
    assert model.form.page == model.form.code or record_model(model.form.page).form.page == model.form.page


def test_an_unknown_form_is_answered_with_the_forms_there_are():
    with pytest.raises(LookupError, match=r"There is no form 'XX'\. Choose from AE, AE\.GRADE, "):
        record_model("XX")


def test_every_record_model_is_concrete():
    assert all(not model._meta.abstract and issubclass(model, PatientRecord) for model in record_models())
