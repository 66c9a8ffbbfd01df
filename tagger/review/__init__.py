"""What runs in a browser or over HTTP: the review page and the REST API."""
