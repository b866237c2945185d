"""Pages to search, open and read: WebSearch, Retrieve and Lookup, and their sources without a network.

`encyclopedia.py` has the three tools and `sources.py` chooses where their pages come from: `corpus.py` (a project's
pages, indexed by `full_text.py` and `title_search.py`), `zim.py` (a Kiwix file), or the package `web`.
`sentences.py` splits and shortens text for all tools. Begin with `encyclopedia.py`, then `corpus.py`.
"""
