"""The demo study: a synthetic reconstruction of 189 patients from published summary figures, at the level of raw forms.

The rule: patients are placed by rank so that the published figures follow (STUDY E.2); nothing here knows how the analysis
computes them, and no estimate, table or published figure is imported.
"""
