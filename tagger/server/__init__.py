"""What runs in a browser or over HTTP.

In the order of imports. The review: file_cache.py, doubts.py, queue.py, evidence.py, entry_state.py, live_labels.py,
session.py, jobs.py, candidate.py, review.py. The page: page_json.py, guard.py, pages.py, page_api.py. The REST API:
api_schema.py, api_examples.py, api_page.py, api_answers.py, api_body.py, api.py. The server: app.py, serving.py.
"""
