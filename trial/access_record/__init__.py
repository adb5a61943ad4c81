"""The access record: who signed in, who was refused, and whose data each person read or took away.

Changes are not here: the audit trail keeps those. Rows are only ever added (the triggers see to it), and what a page shows of
a patient is on record before the page leaves.
"""
