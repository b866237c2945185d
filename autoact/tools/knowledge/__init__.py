"""The KnowledgeGraph tool: facts from a SPARQL endpoint, an RDF file or WordNet.

`knowledge_graph.py` is the tool, which the catalogue of the library imports; `sparql.py`, `rdf_file.py` and
`wordnet.py` are its three sources of facts. Begin with `knowledge_graph.py`.
"""
