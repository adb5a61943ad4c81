import pandas as pd

from analysis.derive.adrs import derive_adrs
from analysis.derive.rows import ExtramedullaryAssessment, MrdAssay
from tests.analysis.derive.casebooks import blood, casebook, derived, marrow, responder, row, treated


def adrs(*books):
    return derive_adrs(derived(book) for book in books)


def test_an_assessment_points_to_the_records_it_was_derived_from():
    sample, count = marrow("2012-05-09", 2), blood("2012-05-10")
    examined = row(ExtramedullaryAssessment, assessed_on="2012-05-08", status="NO EVIDENCE")

    found = adrs(treated(marrows=[sample], counts=[count], extramedullary=[examined])).iloc[0]

    assert found[["PARAMCD", "AVALC", "RSEVAL", "ANL01FL", "SRCDOM"]].tolist() == ["OVR", "CR", "ALGORITHM", "Y", "BM"]
    assert found[["AVAL", "ACYC", "SRCSEQ", "CBCSEQ", "EMDSEQ"]].tolist() == [
        9, 2, sample.record, count.record, examined.record,
    ]  # fmt: skip
    assert found["ADT"] == pd.Timestamp("2012-05-09")


def test_a_sample_has_its_mrd_category_and_methods():
    sample = marrow("2012-05-09", 2)
    assay = row(MrdAssay, marrow_id=sample.record, result="NEGATIVE", sensitivity=1e-5, method="FLOW")

    found = adrs(treated(marrows=[sample], assays=[assay])).set_index("PARAMCD").loc["MRD"]

    assert found[["AVALC", "METHOD", "SRCDOM", "SRCSEQ", "ACYC"]].tolist() == [
        "COMPLETE",
        "FLOW",
        "MRD",
        assay.record,
        2,
    ]
    assert pd.isna(found["AVAL"])


def test_the_best_of_a_responder_points_to_where_it_was_first_seen():
    sample = marrow("2012-05-09", 2)
    assay = row(MrdAssay, marrow_id=sample.record, result="NEGATIVE", sensitivity=1e-5)

    found = adrs(responder(marrows=[sample], counts=[blood("2012-05-09")], assays=[assay])).set_index("PARAMCD")

    best = found.loc[["BOR2", "CRCRH2", "CR2", "MRDR2", "MRDCR2"]]
    assert best["AVALC"].tolist() == ["CR", "Y", "Y", "Y", "Y"]
    assert best["AVAL"].tolist() == [9, 1, 1, 1, 1]
    assert [f"{day:%d %B}" for day in best["ADT"]] == ["29 March"] * 3 + ["09 May"] * 2
    assert best["SRCDOM"].tolist() == ["BM", "BM", "BM", "MRD", "MRD"]


def test_who_has_no_assessment_has_a_best_response_of_ne_without_a_day():
    found = adrs(treated())

    assert found["PARAMCD"].tolist() == ["BOR2", "CRCRH2", "CR2", "MRDR2", "MRDCR2"]
    assert found["AVALC"].tolist() == ["NE", "N", "N", "N", "N"]
    assert found["ADT"].isna().all()


def test_the_untreated_have_no_rows():
    assert len(adrs(casebook(marrows=[marrow("2012-03-29", 2)]))) == 0
