"""Every number of T-4 and T-5 from the raw tables of a demo, without Marrow: STUDY C.1 to C.5 by SQL, pandas, lifelines and SciPy."""

import sqlite3

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from scipy.stats import binomtest

# fmt: off
P, DATES, DULL, MONTH = "patient_id", "_(on|at)$|^started$", ("dev", "endofs", "infusionb", "med", "proc", "serious", "transf"), 30.4375
RESPONSES = {"CR": "free and NEUT > 1 and PLAT > 100", "CRh": "free and NEUT > 0.5 and PLAT > 50", "BFHM": "free and NEUT + PLAT >= 0",
    "PR": "not worse and 5 < blasts <= 25 and not blasts > base / 2", "NR": "not worse and not free", "PD": "worse", "NE": "free"}

def patients(file, cutoff):
    """A row a treated patient. A date is in days since the cut-off, and what happened after it is not there."""
    db, t = sqlite3.connect(file), {}
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql GLOB 'CREATE TABLE ?[ps]a*patient_id*' AND name NOT GLOB '*_his*'"):
        f = t[name.split("_")[1]] = pd.read_sql_query(f"SELECT * FROM {name} ORDER BY id", db, index_col=P)  # patients_ and safety_
        for c in f.filter(regex=DATES):  # a moment by the clock of its site; a month alone is its 15th, of an onset its 1st
            shift = f[c + "_offset"] / 1440 if c + "_offset" in f else 14 * (f[c].str.len() == 7) * (c != "started")
            f[c] = ((pd.to_datetime(f[c], format="ISO8601") - pd.Timestamp(cutoff)) / pd.Timedelta(days=1) + shift).where(lambda on: on < 1)
    # Treatment; survival, to death or the last visit, finding, sample or dose; the primary window: to cycle 3, 14 days past, or another
    starts = t["infusioninterval"].query("dose_ug_per_day > 0").groupby([P, "cycle"]).started_at.min().dropna().reset_index("cycle")
    p = starts.groupby(P)[["started_at"]].min().eval("first = started_at // 1").join(t["death"].died_on)
    signs = pd.concat([f[c] for name, f in t.items() if len(f) and not name.startswith(DULL) for c in f.filter(regex=DATES)])
    p["os"] = p.died_on.fillna(signs.groupby(P).max() // 1) - p["first"] + 1
    p["allo"] = t["transplant"].query("kind == 'ALLOGENEIC'").sort_values("transplanted_on").groupby(P).has_relapsed.last()
    p["new"] = pd.concat([t["latertransplant"].transplanted_on, t["latertherapy"].started_on]).groupby(P).min()
    p["end"] = np.fmin(starts.query("cycle < 4").groupby(P).tail(1).eval("started_at + 56 * (cycle < 3)") // 1, p.new)
    a = t["mrdassay"].query("result in ['POSITIVE QUANTIFIED', 'POSITIVE NOT QUANTIFIABLE', 'NEGATIVE']")  # MRD: none 0, low 2, high 4
    tells = a.sensitivity.where(a.result != "POSITIVE NOT QUANTIFIABLE", a.quantitative_range) <= 1e-4  # where not: 1 or 3
    a = a.assign(mrd=np.where(a.level >= 1e-4, 4, 2 * (a.result != "NEGATIVE") + ~tells)).groupby("marrow_id")[["mrd", "method"]].max()
    marrow = t["marrow"].query("reader == 'CENTRAL'").rename(columns={"sampled_on": "on", "blasts_percent": "blasts"}).join(a, on="id")
    p["base"] = marrow[marrow.id.isin(t["baselinedisease"].marrow_id)].blasts  # before treatment
    count = t["haematologysample"].join(t["haematologyresult"].pivot(index="sample_id", columns="test", values="value"), on="id")
    p["blood"] = count.join(p).query("taken_at < started_at").sort_values("taken_at").groupby(P).BLAST.last()
    # A marrow with the nearest examination and each count near it, before the next cycle or other treatment; the best response it shows
    m = marrow.join(p).join(t["responseassessment"].set_index("marrow_id").adjudicated_response.dropna().rename("ruled"), on="id")
    m = m.join(m.join(pd.concat([starts.started_at, p.new]).rename("stop")).query("stop > on").groupby("id").stop.min(), on="id")
    exam = m.join(t["extramedullaryassessment"][["assessed_on", "status"]]).query("-14 <= assessed_on - on < 8 and not assessed_on >= stop")
    exam = exam.assign(far=(exam.assessed_on - exam.on).abs()).sort_values(["far", "assessed_on"]).groupby("id").status.first()
    near = m.join(count, rsuffix="_").query("-3 <= taken_at - on < 8 and not taken_at >= stop")
    m = pd.concat([near, m[~m.id.isin(near.id)]]).query("first < on").join(exam, on="id").eval("""
        worse = status in ['PRESENT LARGER', 'NEW LESION'] or blasts - base > 24.999 or BLAST - blood > 4.999
        free = not worse and blasts <= 5 and not (BLAST > 0 or BLASTLE > 0) and status != 'PRESENT STABLE/SMALLER'""")
    m["place"] = np.select([m.eval(f"ruled == '{name}' or ruled != ruled and ({rule})") for name, rule in RESPONSES.items()], range(7))
    inside = m.query("on < end")  # where a lower place is a stronger response
    p["place"], p["responded"] = inside.groupby(P).place.min(), inside.query("place < 2").groupby(P).on.min()
    low = inside.join(p.responded).query("mrd in [0, 2] and on >= responded").sort_values("on").groupby(P)
    p["evaluable"], p["mrd"], p["method"] = inside.query("mrd in [0, 2, 4]").groupby(P).mrd.min(), low.mrd.min(), low.method.first()
    relapse = pd.concat([m.query("blasts > 5 or status == 'NEW LESION'").on, t["relapse"].query("site != 'MOLECULAR ONLY'").relapsed_on])
    p["relapsed"] = relapse.to_frame("on").join(p.responded).query("on >= responded").groupby(P).on.min()  # reported or shown
    seen = t["extramedullaryassessment"].join(count.taken_at).query("-3 <= taken_at - assessed_on < 8").assessed_on  # with a count
    last = pd.concat([m.on, seen, t["survivalcontact"].query("disease == 'REMISSION'").last_assessed_on]).groupby(P).max()
    return p.assign(rfs=p.relapsed.fillna(p.died_on).fillna(np.fmax(last, p.responded)) - p.responded + 1).fillna({"allo": -1, "place": 6})

def number(p, table, column, variable, level, statistic):
    """A result of the report by its key: the value, its limits, n and N."""
    p = p[p.allo.eq({"Prior alloHSCT": 1, "No prior alloHSCT": -1}.get(column, p.allo)) & ((p.rfs > 0) | (table not in ["T-4.3", "T-5.1"]))]
    days, over = (p.rfs, p.relapsed.fillna(p.died_on).notna()) if table == "T-5.1" else (p.os, p.died_on.notna())
    if statistic in ("count", "interval"):
        words = {name: p.place == place for place, name in enumerate(RESPONSES)} | {"CR/CRh": p.place < 2, "evaluable": p.evaluable.notna(),
            "not evaluable": p.evaluable.isna(), "MRD response": p.mrd < 4, "complete MRD response": p.mrd == 0, "event": over,
            "relapse": p.relapsed.notna(), "death": over & p.relapsed.isna(), "censored": ~over, "dead": over, "alive": ~over}
        yes = words.get(variable, True) & words.get(level, level is None or p.method == level)
        k, n = yes.sum(), words[level].sum() if {variable, level} <= set(words) else len(yes)
        return 100 * k / n, *(100 * np.array(binomtest(k, n).proportion_ci()) if statistic == "interval" else (None, None)), k, n
    if variable == "observed follow-up" or statistic == "range":
        months = days[~over | (variable == "follow-up")] / MONTH
        n, q = len(months), np.quantile(months, [0, 0.25, 0.5, 0.75, 1], method="averaged_inverted_cdf")  # as SAS does
        values = {"n": [n], "mean": [months.mean()], "median": [q[2]], "quartiles": [None, q[1], q[3]], "range": [None, q[0], q[4]]}
        return *(values[statistic] + [None, None])[:3], n, n
    fit = KaplanMeierFitter().fit(days, ~over if "follow-up" in variable else over, label="S", ci_labels=["low", "high"])
    curve = fit.survival_function_.join(fit.confidence_interval_[fit.survival_function_.S % 1 > 0])  # none if nobody or everybody is left
    if statistic == "median":  # the midpoint of a stretch at exactly one half (M4)
        above, half, below = ((curve <= level).idxmax().replace(0, np.nan) / MONTH for level in (0.5 + 1.5e-8, 0.5, 0.5 - 1.5e-8))
        return (above.S + below.S) / 2, half.low, half.high, len(days), len(days)
    at = int(level.split()[0]) * MONTH
    return *(100 * curve.loc[:at].iloc[-1] if at <= days.max() or curve.S.iloc[-1] == 0 else [None] * 3), len(days), len(days)
