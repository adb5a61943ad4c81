"""The tests mirror the apps. `conftest.py` chooses the engine, `cast.py` holds the people, `make.py` the records."""
