"""What runs in a browser or over HTTP.

In the order of imports: session.py, jobs.py, guard.py, api_schema.py, api_page.py, api.py, app.py, serving.py.
"""
