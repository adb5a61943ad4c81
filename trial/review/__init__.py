"""What is said about an entry and is no part of it: queries; later verification, signatures and locks (DESIGN 4).

Nothing here changes a record: what was asked about stays as it was reported until somebody mends it.
"""
