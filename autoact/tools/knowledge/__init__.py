"""The KnowledgeGraph tool: SPARQL endpoints, RDF files and WordNet."""
