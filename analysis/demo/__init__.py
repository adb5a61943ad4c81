"""The demo study: a synthetic reconstruction of 189 patients from published summary figures, at the level of raw forms.

The rule: patients are placed by rank so that the published figures follow (STUDY E.2); nothing here knows how the analysis
computes them, and no estimate, table or published figure is imported.
"""

# What the edit checks find as an error, left so that there is something to resolve. They find no other of that severity.
ERRORS_LEFT = {
    "EC-092": "An investigator reported CRh where the counts meet CR; adjudicated since.",
}
