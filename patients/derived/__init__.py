"""The derived answers of the forms that say what was recorded (STUDY C.1.1 and the CALC fields of B.4).

A date that is known in part gives the span that the answer lies in: nothing is imputed here, only in analysis.
"""

from patients.derived import baseline, treatment, visits

DERIVATIONS = (*baseline.DERIVATIONS, *visits.DERIVATIONS, *treatment.DERIVATIONS)
