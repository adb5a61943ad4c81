"""The numbers of T-4 and T-5 from what `recompute` gives of each patient, by lifelines and SciPy; nothing of Marrow."""

import numpy as np
from lifelines import KaplanMeierFitter
from scipy.stats import beta

MONTH, RESPONSES = 30.4375, ("CR", "CRh", "BFHM", "PR", "NR", "PD", "NE")
COLUMNS = {"Prior alloHSCT": ["prior"], "No prior alloHSCT": ["naive"], "All treated": ["prior", "naive", "other"]}


def numbers(patients):
    """{(output, column, variable, level, statistic): (value, lower, upper, n, N)}; NaN or None where there is none."""
    found = {}
    for column, kinds in COLUMNS.items():
        p = patients[patients.kind.isin(kinds)]
        r = p[p.responded.notna()]
        counts = [("T-4.1", name, None, p.bor.isin(name.split("/"))) for name in ("CR/CRh", "CR", "CRh")]
        counts += [("T-4.2", "best response", name, p.bor == name) for name in RESPONSES]
        for level, of in (
            (None, r),
            ("evaluable", r[r.evaluable.eq(True)]),
            *((b, r[r.bor == b]) for b in ("CR", "CRh")),
        ):
            counts.append(("T-4.3", "MRD response", level, of.low > 0))
            counts.append(("T-4.3", "complete MRD response", level, of.complete.eq(True)))
        counts += [("T-4.3", "MRD response", method, r.method == method) for method in r.method.dropna().unique()]
        counts.append(("T-4.3", "MRD", "evaluable", r.evaluable.eq(True)))
        counts.append(("T-4.3", "MRD", "not evaluable", ~r.evaluable.eq(True)))
        counts += [("T-5.1", "RFS", why, r.why == why) for why in ("relapse", "death", "censored")]
        counts += [("T-5.1", "RFS", "event", r.why != "censored"), ("T-5.3", "OS", "event", p.died.notna())]
        counts += [("T-5.3", "OS", "censored", p.died.isna()), ("T-5.10", "alive", None, p.died.isna())]
        for output, variable, level, chosen in [*counts, ("T-5.10", "dead", None, p.died.notna())]:
            k, n = int(chosen.sum()), len(chosen)
            low, high = beta.ppf([0.025, 0.975], [k, k + 1], [n - k + 1, n - k])
            share = 100 * k / n if n else None
            limits = (100 * (low if k else 0), 100 * (high if k < n else 1)) if n else (None, None)
            found[output, column, variable, level, "count"] = (share, None, None, k, n)
            found[output, column, variable, level, "interval"] = (share, *limits, k, n)

        for output, name, follow_up, days, events, months in (
            ("T-5.1", "RFS", "RFS follow-up", r.rfs, r.why != "censored", (6, 12, 24)),
            ("T-5.3", "OS", None, p.os, p.died.notna(), (6, 12, 24, 36)),
            ("T-5.10", None, "follow-up", p.os, p.died.notna(), ()),
        ):
            sizes = (len(days), len(days))
            for variable, happened in ((name, events), (follow_up, ~events)):
                fit = KaplanMeierFitter().fit(days, happened)
                curve = fit.survival_function_.join(fit.confidence_interval_).set_axis(["S", "low", "high"], axis=1)
                curve.loc[curve.S.isin([0, 1]), ["low", "high"]] = (
                    np.nan
                )  # no interval where nobody or everybody is left
                found[output, column, variable, None, "median"] = (*(median(curve) / MONTH), *sizes)
                for month in months:
                    at = curve[curve.index <= month * MONTH].iloc[-1] * 100
                    known = month * MONTH <= days.max() or curve.S.iloc[-1] == 0
                    key = (output, column, variable, f"{month} months", "survival")
                    found.setdefault(key, (*(at if known else [None] * 3), *sizes))

        months, alive = p.os / MONTH, (p.os / MONTH)[p.died.isna()]
        found["T-5.10", column, "follow-up", None, "range"] = (None, months.min(), months.max(), len(p), len(p))
        low, middle, high = np.quantile(alive, [0.25, 0.5, 0.75], method="averaged_inverted_cdf")  # as SAS does
        for statistic, values in (
            ("n", (len(alive), None, None)),
            ("mean", (alive.mean(), None, None)),
            ("median", (middle, None, None)),
            ("quartiles", (None, low, high)),
            ("range", (None, alive.min(), alive.max())),
        ):
            found["T-5.10", column, "observed follow-up", None, statistic] = (*values, len(alive), len(alive))
    return found


def median(curve):
    """The median with its limits in days: the midpoint of a stretch at exactly one half (M4)."""

    def reach(name, level):
        return next(iter(curve.index[curve[name] <= level]), np.nan)

    middle = (reach("S", 0.5 + 1.5e-8) + reach("S", 0.5 - 1.5e-8)) / 2
    return np.array([middle, reach("low", 0.5), reach("high", 0.5)])
