"""Access to the web: a guarded HTTP client, a cache with retries, and clients of search engines and wikis.

`guard.py` decides which hosts may be reached, `client.py` makes single requests within limits, `caching_client.py`
adds cache, retries and rest times; `engines.py`, `metasearch.py` and `wikipedia.py` are built on it. The packages
`pages`, `knowledge` and `bridges` import them within calls only, as httpx takes long to import. Begin with
`client.py`.
"""
