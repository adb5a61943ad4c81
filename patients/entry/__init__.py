"""Entering a form: controls for each kind of answer, the sheet of a record, saving it as one act, and its pages.

The rule: nothing that was typed is lost, and nothing is stored that was not typed. What cannot be read is refused with a
sentence at its place; what is odd is saved and asked about; what somebody else saved meanwhile is shown beside it.
"""
