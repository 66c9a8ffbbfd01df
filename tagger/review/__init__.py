"""The local page for labelling: `desk.py` holds its state, `app.py` the routes; `serving.py` starts it."""
