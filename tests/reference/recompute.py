"""What T-4 and T-5 need of each patient, from the raw tables of a demo by SQL and pandas (STUDY C.1 to C.5); nothing of Marrow."""

import sqlite3

import numpy as np
import pandas as pd

# fmt: off
BEST, P, AT = ["NE", "PD", "NR", "PR", "BFHM", "CRh", "CR"], "patient_id", ["patient_id", "on"]  # AT: a marrow


def patients(file, cutoff):
    """A row a treated patient at a cut-off: kind, died, os, bor, responded, evaluable, low, complete, method, why and rfs, in days."""
    def day(of):
        return (pd.to_datetime(of, errors="coerce") - pd.Timestamp("2000-01-01")) // pd.Timedelta(days=1)
    db, cut, t = sqlite3.connect(file), day(cutoff), {}
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '[ps]a[tf]*_*' AND name NOT LIKE '%historical%'"
    for (name,) in db.execute(tables).fetchall():  # patients_ and safety_
        f = t[name.split("_")[1]] = pd.read_sql_query(f"SELECT * FROM {name} ORDER BY id", db).rename(columns={"started": "onset_on"})
        for c in [c for c in f if c.endswith("_on")]:  # a month alone is its 15th, of an onset its 1st
            f[c] = day((f[c] + ("-01" if c == "onset_on" else "-15")).str[:10])
        for c in [c for c in f if c.endswith("_at")]:  # the day is the site's
            f[c[:-3] + "_on"] = day(pd.to_datetime(f[c]) + pd.to_timedelta(f[c + "_offset"], unit="min"))
    starts = t["infusioninterval"].query("dose_ug_per_day > 0 and started_on <= @cut").sort_values("started_at")
    starts = starts.groupby([P, "cycle"], as_index=False).first()[[P, "cycle", "started_at", "started_on"]]
    p = starts.groupby(P).first().rename(columns={"started_at": "first_at", "started_on": "first"})
    newer = pd.concat([t["latertransplant"].set_index(P).transplanted_on, t["latertherapy"].set_index(P).started_on])
    p["new"] = newer[newer > newer.index.map(p["first"])].groupby(level=0).min()
    p["died"], _ = t.pop("death").query("died_on <= @cut").set_index(P).died_on, t.pop("endofstudy")  # no signs of life
    t["survivalcontact"].loc[~t["survivalcontact"].status.str.startswith("ALIVE"), "contacted_on"] = np.nan
    signs = pd.concat([f.set_index(P)[c] for f in t.values() if len(f) for c in f if c.endswith("_on")])
    p["os"] = p.died.fillna(signs[signs <= cut].groupby(level=0).max()) - p["first"] + 1
    window = starts[starts.cycle > 2].groupby(P).started_on.min().reindex(p.index)  # cycle 3, or 14 days past the end of the last one
    p["window"] = np.fmin(window.fillna(starts[starts.cycle < 3].groupby(P).started_on.max() + 56), p.new)
    allo = t["transplant"].query("kind == 'ALLOGENEIC'").sort_values("transplanted_on").groupby(P).last()
    back = ((allo.has_relapsed == 1) | allo.relapsed_on.notna() | allo.status.str.startswith("CR")).map({True: "prior", False: "other"})
    p["kind"] = back.reindex(p.index).fillna("naive")
    count = t["haematologyresult"].pivot(index="sample_id", columns="test", values="value")
    count = t["haematologysample"].merge(count, left_on="id", right_index=True).query("taken_on <= @cut")
    p["blood"] = count.merge(p, on=P).query("taken_at < first_at").sort_values("taken_at").groupby(P).BLAST.last()
    marrow = t["marrow"].query("reader == 'CENTRAL'").rename(columns={"sampled_on": "on", "blasts_percent": "blasts"})
    p["base"] = marrow[marrow.id.isin(t["baselinedisease"].marrow_id)].set_index(P).blasts
    m = marrow[[*AT, "blasts"]].merge(p, on=P).query("first < on <= @cut")
    after = m.merge(starts, on=P).query("started_on >= on and started_on > first").groupby(AT)[["started_at", "started_on"]].min()
    m = m.merge(after.set_axis(["after", "after_on"], axis=1), on=AT, how="left")
    m["latest"] = np.minimum(m.on + 7, m.new.where(m.on < m.new, cut + 1) - 1)
    emd = m.merge(t["extramedullaryassessment"], on=P).query("on - 14 <= assessed_on <= latest and not on < after_on <= assessed_on")
    emd = emd.assign(far=(emd.assessed_on - emd.on).abs()).sort_values(["far", "assessed_on"]).groupby(AT).status.first().rename("emd")
    near = m.merge(count, on=P).query("on - 3 <= taken_on <= latest and not taken_at >= after")[[*AT, "NEUT", "PLAT", "BLAST", "BLASTLE"]]
    m = m.merge(emd, on=AT, how="left").merge(near, on=AT, how="left")  # a row a marrow and count
    m["seen"] = (m.BLAST > 0) | (m.BLASTLE > 0)
    free = (m.blasts <= 5) & ~m.seen & (m.emd != "PRESENT STABLE/SMALLER")  # of blasts, in marrow, blood and elsewhere
    worse = m.emd.isin(["PRESENT LARGER", "NEW LESION"]) | (m.blasts - m.base > 24.999) | (m.BLAST - m.blood > 4.999)
    cr, crh = free & (m.NEUT > 1) & (m.PLAT > 100), free & (m.NEUT > 0.5) & (m.PLAT > 50)
    rules = [worse, free & (m.NEUT.isna() | m.PLAT.isna()), cr, crh, free, m.blasts.between(5, 25, "right") & ~(m.blasts > m.base / 2)]
    ruled = t["responseassessment"].merge(marrow[["id", "on"]], left_on="marrow_id", right_on="id").dropna(subset="adjudicated_response")
    ruled = pd.Series(pd.MultiIndex.from_frame(m[AT]).map(ruled.set_index(AT).adjudicated_response), m.index)
    m["rank"] = ruled.fillna(pd.Series(np.select(rules, ["PD", "NE", "CR", "CRh", "BFHM", "PR"], "NR"), m.index)).map(BEST.index)
    inside = m[m.on < m.window]  # the primary window
    p["bor"] = inside.groupby(P)["rank"].max().reindex(p.index).fillna(0).map(lambda rank: BEST[int(rank)])
    p["responded"] = inside[inside["rank"] >= BEST.index("CRh")].groupby(P).on.min()
    a = t["mrdassay"].query("result not in ('NO MARKER', 'SAMPLE INADEQUATE', 'INDETERMINATE')").copy()
    known, below = a.result == "POSITIVE QUANTIFIED", a.result == "POSITIVE NOT QUANTIFIABLE"
    a["high"], a["deaf"], a["positive"] = known & (a.level >= 1e-4), ~below & (a.sensitivity > 1e-4), known | below  # deaf: not sensitive
    a["bad"] = below & (a.quantitative_range > 1e-4) | known & a.deaf
    how = dict.fromkeys(["high", "deaf", "bad", "positive"], "any") | {"method": lambda used: "; ".join(sorted(set(used)))}
    a = a.merge(marrow[["id", "on"]], left_on="marrow_id", right_on="id").groupby(AT).agg(how)  # of a sample the worst marker rules
    a = a.reset_index().merge(p, on=P).query("first < on < window and responded == responded")
    a["fit"] = a.high | ~a.bad & (a.positive | ~a.deaf)
    p["evaluable"], low = a.groupby(P).fit.any(), a[a.fit & ~a.high & (a.on >= a.responded)].sort_values("on")
    p["low"], p["complete"], p["method"] = low.groupby(P).size(), (~low.positive).groupby(low[P]).any(), low.groupby(P).method.first()
    in_blood = m.seen.groupby([m[P], m.on]).transform("all") & m.duplicated(AT, keep=False)
    relapses = t["relapse"].query("site != 'MOLECULAR ONLY' and relapsed_on <= @cut").set_index(P).relapsed_on
    relapses = pd.concat([relapses, m[(m.blasts > 5) | (m.emd == "NEW LESION") | in_blood].set_index(P).on])
    relapse = relapses[relapses >= relapses.index.map(p.responded)].groupby(level=0).min().reindex(p.index)
    seen = t["extramedullaryassessment"].query("assessed_on <= @cut").merge(count, on=P).query("-3 <= taken_on - assessed_on <= 7")
    told = t["survivalcontact"].query("disease == 'REMISSION' and last_assessed_on <= @cut").set_index(P)
    last = pd.concat([m.set_index(P).on, seen.set_index(P).assessed_on, told.last_assessed_on]).groupby(level=0).max()
    p["why"] = np.select([relapse.notna(), p.died.notna()], ["relapse", "death"], "censored")
    return p.assign(rfs=relapse.fillna(p.died).fillna(np.fmax(last, p.responded)) - p.responded + 1)
