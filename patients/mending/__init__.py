"""What goes wrong in a trial, and how it is put right: a form of an old version, at the wrong place, of a patient who moved.

The rule: nothing is written over. What was there stays in the trail, the reason says what became of it, and the page says the
consequences before anybody agrees to them.
"""
